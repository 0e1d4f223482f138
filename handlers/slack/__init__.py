"""What people do in Slack: buttons and modals. Each handler parses, authorises, makes one call and replies."""
