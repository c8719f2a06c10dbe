"""HubSpot as its CRM API shows itself: objects, search, batch reads, associations, owners, properties, OAuth."""
