"""What people do in projects: each action one transaction() that publishes its event. May import delivery and below."""
