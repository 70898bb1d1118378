"""Every sentence that people read, in English; `russian` says the same in Russian."""

from mymozhem.contract import Context, JsonObject, Refuse

from .russian import RUSSIAN

ENGLISH = {
    "TRUE": "True",
    "FALSE": "False",
    "NOT_STARTED": "The quiz has not started yet: start it first.",
    "STARTED_ALREADY": "The quiz has started already.",
    "FINISHED": "The quiz is over.",
    "QUESTION_OPEN": "A question is open or being settled: close it first, or wait a moment.",
    "NO_QUESTION_OPEN": "No question is open.",
    "SELF_PACED": "At people's own pace all questions are open until the end: end the quiz.",
    "QUESTION_UNKNOWN": "There is no question {question} in this quiz.",
    "QUESTION_PLAYED": "Question {question} was played already: replay it, or correct its key.",
    "QUESTION_NOT_PLAYED": "Question {question} was not played yet: change it in the settings.",
    "QUESTION_VOID": "Question {question} is void already.",
    "NO_QUESTIONS_LEFT": "All questions were played: end the quiz, or replay one.",
    "TOO_MANY_ROUNDS": "A quiz has {most} rounds at most.",
    "NOTHING_TO_REVEAL": "Every answer is revealed already.",
    "ANSWER_UNFIT": "This is no answer that question {question} could have.",
    "ACCEPT_UNFIT": "Only options and short texts can be accepted as well: correct the key of"
    " question {question} instead.",
    "NO_TEAMS": "This quiz has no teams that you could choose.",
    "TEAM_UNKNOWN": "There is no team {team} in this quiz.",
    "TEAM_CHOSEN": "You are in team {team} already, and the quiz has begun.",
    "NO_ONE_TIED": "Nobody who was tied is in the room any more.",
    "QUESTIONS_MISSING": "Write or import at least one question.",
    "QUESTION_TWICE": "Two questions have the id {question}.",
    "QUESTION_FROZEN": "Question {question} was played and stays as it is: use correct, accept or"
    " void, which also change the points.",
    "QUESTION_GONE": "Question {question} was played and cannot be taken out.",
    "TOO_MANY_SELF_PACED": "At people's own pace a quiz has {most} questions at most.",
    "CLOSES_AT_MISSING": "Say until when people can answer at their own pace.",
    "CLOSES_AT_PAST": "This moment has passed: choose a later one.",
    "CLOSES_AT_FAR": "Choose a moment within a year.",
    "SUDDEN_DEATH_LIVE": "Sudden death needs a live quiz: share the place or draw lots.",
    "TEAMS_MISSING": "Name at least two teams.",
    "TEAM_TWICE": "Two teams are called {team}.",
    "rule.tie": "Lots are drawn among those who are tied: one ticket each.",
    "rule.everybody": "Everybody has one ticket.",
}


def say(context: Context, key: str, /, **values: object) -> str:
    """Return a sentence in the language of the room, English where there is none."""
    russian = context.room is not None and context.room.locale.lower().startswith("ru")
    return (RUSSIAN if russian else ENGLISH)[key].format(**values)


def refusal(context: Context, code: str, /, **values: object) -> Refuse:
    """Return the quiz's no, in the language of the room; the values come as details."""
    details: JsonObject = {name: str(value) for name, value in values.items()}
    return Refuse(code, say(context, code, **values), details)
