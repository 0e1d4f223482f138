"""Slack's words for what it did not do, and what each is of: the message, its place, the app, a moment.

From the references of the methods that are called here. What a word means is decided in ``errors``.
"""

from __future__ import annotations

UNKNOWN = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "team_added_to_org", "update_failed"}
)
"""It may have been done."""
NOT_DONE = frozenset({"service_unavailable", "ratelimited", "rate_limited", "message_limit_exceeded"})
GONE = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cant_update_message",
        "edit_window_closed",
        "cannot_reply_to_message",
    }
)
CONTENT = frozenset(
    {
        "attachment_payload_limit_exceeded",
        "block_mismatch",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_charset",
        "invalid_form_data",
        "invalid_json",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "markdown_text_conflict",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
        "too_many_contact_cards",
        "view_too_large",
    }
)
"""Slack does not take what the message holds: its plain version is tried."""
CLOSED = {
    "edit_window_closed": "the workspace closes messages for edits, so each change of a card is a new message: "
    "ask an admin to let the app edit its messages at any time",
    "cant_update_message": "the card is not this app's (was the app made anew?): it is posted anew",
}
"""Slack has the message, and does not let us edit it any more: said, for the older text goes on standing there."""
KEPT = frozenset({"cant_delete_message", "compliance_exports_prevent_deletion"})
MEND = {
    "channel_not_found": "is TRIAGE_CHANNEL right, and the bot a member of it? (/invite it there)",
    "not_in_channel": "invite the bot to the channel: /invite @hbot-triage",
    "is_archived": "the channel is archived: name another one in TRIAGE_CHANNEL",
    "channel_is_archived": "the channel is archived: name another one in TRIAGE_CHANNEL",
    "is_inactive": "the channel is not in use any more: name another one in TRIAGE_CHANNEL",
    "invalid_auth": "SLACK_BOT_TOKEN is not valid: copy it again from the app's page",
    "not_authed": "SLACK_BOT_TOKEN is empty",
    "account_inactive": "the app was removed from the workspace: install it again",
    "token_revoked": "SLACK_BOT_TOKEN was revoked: install the app again",
    "token_expired": "SLACK_BOT_TOKEN has expired: install the app again",
    "accesslimited": "the app may be used from certain networks alone: add this machine's address on the app's page",
    "missing_scope": "the app lacks a scope: compare it with deploy/slack-manifest.yaml and reinstall",
    "restricted_action": "a workspace rule forbids the bot to post there: ask an admin",
    "restricted_action_read_only_channel": "the channel is read-only: let the bot post there, or name another one",
    "restricted_action_thread_only_channel": "the channel takes nothing but threads: allow posts, or name another one",
    "restricted_action_non_threadable_channel": "the channel takes no threads: allow them, or name another one",
    "app_access_restricted": "a workspace rule restricts the app: ask an admin",
    "posting_to_channel_denied": "the bot may not share files in that channel: ask an admin, or name another one",
    "posting_to_general_channel_denied": "a workspace rule lets few post in that channel: name another one",
    "ekm_access_denied": "a workspace rule forbids the bot to post there: ask an admin",
    "enterprise_is_restricted": "a rule of the organisation forbids it: ask an admin of the organisation",
    "team_access_not_granted": "the app has no access to this workspace: grant it in the organisation's settings",
    "team_not_found": "the app has no access to this workspace: install it there",
    "access_denied": "the app may not do this there: ask an admin, or invite the bot again",
    "no_permission": "the app may not do this there: compare it with deploy/slack-manifest.yaml and reinstall",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be the bot's token (xoxb-…): copy it from the app's page",
    "org_login_required": "the workspace moves to an organisation: wait for its end, then install the app again",
    "two_factor_setup_required": "the workspace asks its members for two-factor sign-in: ask an admin",
    "messages_tab_disabled": "turn on the Messages tab of the app's Home, or name a channel",
    "cannot_dm_bot": "TRIAGE_CHANNEL names a bot: name a channel",
    "user_not_found": "TRIAGE_CHANNEL names nobody: name a channel",
    "user_disabled": "TRIAGE_CHANNEL names somebody who left: name a channel",
    "channel_type_not_supported": "messages cannot be posted to that kind of channel: name another one",
    "method_not_supported_for_channel_type": "that kind of channel does not take it: name another one",
    "deprecated_endpoint": "Slack has given this call up: install a newer version of hbot-triage",
    "method_deprecated": "Slack has given this call up: install a newer version of hbot-triage",
    "unknown_method": "Slack does not know this call: is SLACK_API_URL right, or is there a newer version of hbot-triage?",
    "slack_connect_file_upload_sharing_blocked": "no files for the other organisation: name a channel of your own",
    "slack_connect_blocked_file_type": "no such files for the other organisation: name a channel of your own",
    "file_uploads_disabled": "the workspace takes no files: ask an admin to allow them",
    "storage_limit_reached": "the workspace has no room for files: ask an admin",
    "no_such_subteam": "desk.yaml names a user group that the workspace does not have: name another one",
    "paid_teams_only": "user groups need a paid plan: name people in desk.yaml instead",
    "plan_upgrade_required": "user groups need a paid plan: name people in desk.yaml instead",
    "permission_denied": "the app may not read user groups: ask an admin, or name people in desk.yaml",
    "not_enabled": "turn on the Home tab on the app's page (App Home)",
}
_COPY_AGAIN = "SLACK_APP_TOKEN is not valid: copy it again from the app's page (App-Level Tokens)"
MEND_APP_TOKEN = {
    "invalid_auth": _COPY_AGAIN,
    "token_revoked": _COPY_AGAIN,
    "token_expired": _COPY_AGAIN,
    "not_authed": "SLACK_APP_TOKEN is empty",
    "not_allowed_token_type": "SLACK_APP_TOKEN must be the app's token (xapp-…): copy it from the app's page",
    "missing_scope": "SLACK_APP_TOKEN lacks the scope connections:write: make another one on the app's page",
    "account_inactive": MEND["account_inactive"],
    "accesslimited": MEND["accesslimited"],
}
"""The same words where it is the app's token that is refused: its connections are."""
OF_MESSAGE = {
    "restricted_action_thread_locked": "an admin has locked the thread: unlock it, or resolve the incident",
    "thread_locked": "an admin has locked the thread: unlock it, or resolve the incident",
    "slack_connect_file_link_sharing_blocked": "links to files may not be shared with the other organisation: ask an admin",
    "file_upload_size_restricted": "the workspace does not take files of that size: ask an admin",
    "blocked_file_type": "the workspace does not take such files: ask an admin to allow PNG and Markdown",
    "malware_detected": "the workspace takes the file for malware: ask an admin",
    "external_channel_migrating": "the channel moves to another organisation: it works again by itself",
}
"""What binds one message and no other of its channel, with the mend."""
REFERENCE = "what to mend: https://docs.slack.dev/reference/methods/{method}"
"""Where Slack documents a refusal for which no mend is known here."""
ELSEWHERE = frozenset({"is_archived", "channel_not_found", "channel_is_archived", "is_inactive"})
"""The channel is not there (any more): one made anew under its name has another id."""
