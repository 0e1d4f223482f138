"""What the project is made with: setting up, locking, pictures."""
