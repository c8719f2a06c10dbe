"""Delivr.ai: what people do on a site, what they research, and the audiences made of them."""
