"""The page's table of states is the Python client's, way for way."""

from tests.web.browsing import IN_BROWSER

from lumi.client.state_machine import TRANSITIONS, Phase

pytestmark = IN_BROWSER


async def test_both_tables_are_the_same(module_page):
    states, transitions = await module_page.evaluate(
        "async () => { const { STATES, TRANSITIONS } = await import('/sdk/lumi.js'); return [STATES, TRANSITIONS]; }"
    )
    assert states == [phase.value for phase in Phase]
    assert {phase: set(ways) for phase, ways in transitions.items()} == {
        phase.value: {way.value for way in ways} for phase, ways in TRANSITIONS.items()
    }


async def test_a_way_that_the_table_does_not_have_changes_nothing(module_page):
    wrong = await module_page.evaluate(
        """async () => {
          const { StateMachine, STATES, TRANSITIONS } = await import("/sdk/states.js");
          const wrong = [];
          for (const from of STATES) for (const to of STATES) {
            const told = [];
            const machine = new StateMachine((...step) => told.push(step));
            for (const step of wayTo(from)) machine.advance(step);
            told.length = 0;
            let refused = false;
            try { machine.advance(to, { why: 1 }); } catch (error) { refused = error instanceof RangeError; }
            const allowed = TRANSITIONS[from].includes(to);
            const right = allowed
              ? !refused && machine.state === to && JSON.stringify(told) === JSON.stringify([[to, from, { why: 1 }]])
              : refused && machine.state === from && told.length === 0;
            if (!right) wrong.push([from, to]);
          }
          return wrong;

          function wayTo(goal) {
            const open = [[]];
            while (true) {
              const way = open.shift();
              const here = way.at(-1) ?? "initial";
              if (here === goal) return way;
              open.push(...TRANSITIONS[here].map((next) => [...way, next]));
            }
          }
        }"""
    )
    assert wrong == []
