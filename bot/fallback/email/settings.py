"""The setting of e-mail."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, SecretStr

from bot.fallback.email.address import read_mail_url
from triage.errors import SettingError

ADDRESS = "TRIAGE_FALLBACK_SMTP"


def _mail_url(value: SecretStr) -> SecretStr:
    if value.get_secret_value():
        try:
            read_mail_url(value.get_secret_value())
        except SettingError as error:
            raise ValueError(str(error)) from None
    return value


class EmailSettings(BaseModel):
    """Where and how mail goes, as one URL (see ``address``); empty: not used."""

    triage_fallback_smtp: Annotated[SecretStr, AfterValidator(_mail_url)] = SecretStr("")


SETTINGS = EmailSettings
