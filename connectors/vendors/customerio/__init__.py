"""Customer.io: profiles, what they do, and what is sent to them."""
