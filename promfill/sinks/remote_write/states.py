"""What to do about an answer, as a table: the states of a message, what its answer means, and the action.

              NEW     UNTOLD  LOST    OPEN    PARTLY
    WRITTEN   count   count   count   count   count
    FOUND     there   there   there   there   there
    HELD      refuse  ask     ask     there   halve
    TOO_OLD   refuse  ask     ask     ask     ask
    REFUSED   refuse  refuse  refuse  refuse  refuse
    SMALLER   cut     cut     cut     cut     cut
    OLDER     older   older   older   older   older
    WIDE      cut     cut     cut     cut     cut
    AGAIN     again   again   again   again   again
    OURS      end     end     end     end     end

States say what was sent before; they are the columns of the table:

    NEW       nothing: an answer is about this attempt
    UNTOLD    the same message as 2.0; the answer was good, but did not tell whether the message was read
    LOST      this message, by this delivery, and nothing since: either all its samples are there, or none
    OPEN      this message, or a larger one that it is a part of, perhaps by an earlier run: all of it is there, or none
    PARTLY    this message, or parts of it: some of its series, or some of its times, may be there, and others not

An attempt whose answer is lost, or is a 5xx, may have been written. Prometheus and its relatives say so when it comes
again (HELD); VictoriaMetrics would keep it twice, so it is queried first (FOUND: all of it is there). If parts of a
message may be there, and it is wider than the slack, it is not sent whole (WIDE): the answer would be true of some of
its times only.

    count     it was written, or as much of it as the receiver says
    there     it had been written before
    halve     send halves of its series, since some of them are there; a series alone is there
    cut       send smaller messages: parts within the slack, or halves of its series
    ask       find out whether it was written; if not, refuse
    older     send it as 1.0
    again     send it once more, after a pause; when the time for that is over, end
    refuse    end; or, where refused samples are left out, look for those that are accepted
    end       the push ends: anything else that was sent would be refused
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from promfill.sinks.remote_write.classify import Verdict


class State(Enum):
    """What is known of a message before it is sent: a column of the table."""

    NEW = "NEW"
    UNTOLD = "UNTOLD"
    LOST = "LOST"
    OPEN = "OPEN"
    PARTLY = "PARTLY"

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier attempt may have been written."""
        return self in (State.LOST, State.OPEN, State.PARTLY)

    def at_least(self, other: State) -> State:
        """Whichever of the two states knows less."""
        return max(self, other, key=[*State].index)


class Action(Enum):
    """What to do next: a cell of the table."""

    COUNT = "count"
    THERE = "there"
    HALVE = "halve"
    CUT = "cut"
    ASK = "ask"
    AS_OLDER = "older"
    AGAIN = "again"
    REFUSE = "refuse"
    END = "end"


def _always(action: Action) -> Mapping[State, Action]:
    return dict.fromkeys(State, action)


TABLE: Mapping[Verdict, Mapping[State, Action]] = {
    Verdict.WRITTEN: _always(Action.COUNT),
    Verdict.FOUND: _always(Action.THERE),
    Verdict.HELD: {
        State.NEW: Action.REFUSE,
        State.UNTOLD: Action.ASK,
        State.LOST: Action.ASK,
        State.OPEN: Action.THERE,
        State.PARTLY: Action.HALVE,
    },
    Verdict.TOO_OLD: {**_always(Action.ASK), State.NEW: Action.REFUSE},
    Verdict.REFUSED: _always(Action.REFUSE),
    Verdict.SMALLER: _always(Action.CUT),
    Verdict.OLDER: _always(Action.AS_OLDER),
    Verdict.WIDE: _always(Action.CUT),
    Verdict.AGAIN: _always(Action.AGAIN),
    Verdict.OURS: _always(Action.END),
}


def action_of(state: State, verdict: Verdict) -> Action:
    """What to do about this answer to a message in this state."""
    return TABLE[verdict][state]
