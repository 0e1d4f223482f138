"""The desk's files, commands and images, as the agent touches them."""
