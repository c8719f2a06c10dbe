"""Customer.io's App API: people, activities, deliveries, campaigns, segments."""
