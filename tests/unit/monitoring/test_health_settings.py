"""Settings of mails and metrics: what is wrong is refused, and no password is shown."""

import pytest
from pydantic import ValidationError

from mymozhem.config import Settings


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"quiet_hours": "22-8"}, "quiet_hours"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
        ({"smtp_url": "http://mail.example.org", "mail_from": "a@example.org"}, "smtp://"),
        ({"smtp_url": "smtp://mail.example.org"}, "MYMOZHEM_MAIL_FROM"),
        ({"mail_from": "Nobody <a@example.org>"}, "mail_from"),
        ({"metrics_token": "short"}, "metrics_token"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(wrong, says):
    with pytest.raises(ValidationError, match=says):
        Settings(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp_url": "http://user:sesame@mail.example.org"},
        {"smtp_url": "smtp://user:ses/ame@mail.example.org"},
        {"smtp_url": "smtp://user:sesame@[::1"},
        {"smtp_url": "smtp://user:sesame@mail.example.org"},
        {"metrics_token": "sesame"},
    ],
)
def test_no_password_is_in_the_sentence_that_refuses_it(wrong):
    with pytest.raises(ValidationError) as refused:
        Settings(**wrong)
    assert "ses" not in str(refused.value)
