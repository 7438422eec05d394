"""What is done about an answer, as a table: the states of a message, what its answer means, and the action.

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

States are about what was sent before, columns of the table:

    NEW       nothing: an answer is about this attempt
    UNTOLD    the same as 2.0, and the answer was good, and did not tell whether it was read
    LOST      it, by this delivery, and nothing since: it is there with all its samples, or with none
    OPEN      it, or a message that it is a part of, perhaps by an earlier run; it is there whole, or not at all
    PARTLY    it, or parts of it: some of its series may be there, and others not; or some of its times

An attempt whose answer is lost, or is a 5xx, may have been written. Prometheus and its kin say so when it comes again
(HELD); VictoriaMetrics would keep it twice, and is asked before (FOUND: all of it is there). A message wider than the
slack of which parts may be there does not go as it is (WIDE): an answer would be true of some of its times alone.

    count     it is written, or as much of it as the receiver says
    there     it had been written before
    halve     in halves of its series, of which some are there; a series alone is there
    cut       smaller: into parts within the slack, or halves of its series
    ask       find out whether it was written; if not, refuse
    older     as 1.0
    again     once more, after a pause; when the time for that is over, end
    refuse    end, or where refused samples are left out, look for those that are taken
    end       the push ends: whatever was sent would be refused
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
        """Whether an attempt before may have been written."""
        return self in (State.LOST, State.OPEN, State.PARTLY)

    def at_least(self, other: State) -> State:
        """The one of both that knows less."""
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
