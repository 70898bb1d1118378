"""The mails to account owners. Plain text; links stand on lines of their own."""

from mymozhem.monitoring.mail_texts import MailText

from .links import OneTimeLink

_FOOT = "Did you not expect this mail? Then do nothing: without this link nothing changes."


def invitation_mail(link: OneTimeLink, public_url: str) -> MailText:
    """Return the mail with an invitation."""
    return MailText(
        "Your invitation",
        f"With this link you create an account at {public_url}. It is valid for seven days and "
        f"works once.\n\n{link.url}\n\n{_FOOT}\n",
    )


def password_mail(link: OneTimeLink, public_url: str) -> MailText:
    """Return the mail with a link to a new password."""
    return MailText(
        "A new password",
        f"With this link you choose a new password for {public_url}. It is valid for one hour and "
        f"works once. All your devices are signed out by that.\n\n{link.url}\n\n{_FOOT}\n",
    )
