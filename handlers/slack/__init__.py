"""What people do in Slack: buttons, modals, commands, App Home. A handler parses, authorises, makes one call, replies."""
