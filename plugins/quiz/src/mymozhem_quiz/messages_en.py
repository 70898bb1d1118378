"""Every message that people read, in English; `messages_ru` has the same ones in Russian."""

from mymozhem.contract import Context, JsonObject, Refuse

from .messages_ru import RUSSIAN

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
    "TOO_MANY_ROUNDS": "A quiz asks {most} times at most, replayed questions included.",
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
    "QUESTION_MOVED": "Question {question} was played and stays in its round.",
    "TOO_MANY_QUESTIONS": "A quiz has {most} questions at most, all rounds together.",
    "ROUND_TWICE": "Two rounds have the id {round}.",
    "ROUND_EMPTY": "Write at least one question for the round “{round}”, or take it out.",
    "ROUND_FROZEN": "A question of the round “{round}” was played: its points and its time stay.",
    "QUESTION_GONE": "Question {question} was played and cannot be taken out.",
    "TOO_MANY_SELF_PACED": "At people's own pace a quiz has {most} questions at most.",
    "CLOSES_AT_MISSING": "Say until when people can answer at their own pace.",
    "CLOSES_AT_PAST": "This moment has passed: choose a later one.",
    "CLOSES_AT_FAR": "Choose a moment within a year.",
    "SUDDEN_DEATH_LIVE": "Sudden death needs a live quiz: share the place or draw lots.",
    "TEAMS_MISSING": "Name at least two teams.",
    "TEAM_TWICE": "Two teams are called {team}.",
    "VERSION_UNKNOWN": "This quiz knows nothing of version {version}.",
    "round.title": "Round {number}",
    "lost.titles": "There are no rounds any more, only one list of questions; their titles are"
    " gone: {titles}.",
    "lost.pictures": "Pictures of options are gone, from {count} options.",
    "lost.pause": "The next round does not wait for you any more.",
    "rule.tie": "Tied participants take part in a draw, with one ticket each.",
    "rule.everybody": "Everybody has one ticket.",
}


def say(context: Context, key: str, /, **values: object) -> str:
    """Return a message in the language of the room, or in English if it is not translated."""
    russian = context.room is not None and context.room.locale.lower().startswith("ru")
    return (RUSSIAN if russian else ENGLISH)[key].format(**values)


def refusal(context: Context, code: str, /, **values: object) -> Refuse:
    """Return the quiz's refusal, in the language of the room; the values become its details."""
    details: JsonObject = {name: str(value) for name, value in values.items()}
    return Refuse(code, say(context, code, **values), details)
