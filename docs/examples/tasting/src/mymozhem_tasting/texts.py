"""Every message of the app, in English and Russian."""

from mymozhem.contract import Context, Refuse

ENGLISH = {
    "sample": "Sample {sample}",
    "rating": "Points from 0 to 100",
    "comment": "What did you taste?",
    "SAMPLES_MISSING": "List at least one sample.",
    "SAMPLE_UNKNOWN": "There is no sample {sample}.",
    "SAMPLE_OPEN": "Sample {sample} is still open: close it first.",
    "SAMPLE_POURED": "Sample {sample} was poured already.",
    "SAMPLE_NOT_CLOSED": "Sample {sample} was not rated yet.",
    "NOTHING_OPEN": "No sample is open.",
    "FINISHED": "The tasting is over.",
}
RUSSIAN = {
    "sample": "Образец {sample}",
    "rating": "Баллы от 0 до 100",
    "comment": "Что вы почувствовали?",
    "SAMPLES_MISSING": "Укажите хотя бы один образец.",
    "SAMPLE_UNKNOWN": "Образца {sample} нет.",
    "SAMPLE_OPEN": "Образец {sample} ещё открыт: закройте этот образец.",
    "SAMPLE_POURED": "Образец {sample} уже наливали.",
    "SAMPLE_NOT_CLOSED": "Образец {sample} ещё не оценили.",
    "NOTHING_OPEN": "Ни один образец не открыт.",
    "FINISHED": "Дегустация окончена.",
}


def say(context: Context, key: str, **values: object) -> str:
    """Return a message in the language of the room, or in English if it is not translated."""
    russian = context.room is not None and context.room.locale.lower().startswith("ru")
    return (RUSSIAN if russian else ENGLISH)[key].format(**values)


def refusal(context: Context, code: str, **values: object) -> Refuse:
    """Return the exception that refuses a call; the caller raises it."""
    return Refuse(code, say(context, code, **values))
