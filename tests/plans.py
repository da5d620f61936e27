"""Small planning worlds for tests, and how to draw problems of them: untyped, typed with constants, with negatives."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from data.domains import _stacks, blocksworld

LOGISTICS = """\
(define (domain logistics) ; typed, a hierarchy of three, a constant
  (:requirements :strips :typing)
  (:types truck plane - vehicle vehicle parcel - thing airport - place)
  (:constants hub - airport)
  (:predicates (at ?t - thing ?p - place) (in ?x - parcel ?v - vehicle) (road ?p ?q - place))
  (:action load
    :parameters (?x - parcel ?v - vehicle ?p - place)
    :precondition (and (at ?x ?p) (at ?v ?p))
    :effect (and (in ?x ?v) (not (at ?x ?p))))
  (:action unload
    :parameters (?x - parcel ?v - vehicle ?p - place)
    :precondition (and (in ?x ?v) (at ?v ?p))
    :effect (and (at ?x ?p) (not (in ?x ?v))))
  (:action drive
    :parameters (?v - truck ?p ?q - place)
    :precondition (and (at ?v ?p) (road ?p ?q))
    :effect (and (at ?v ?q) (not (at ?v ?p))))
  (:action fly-home
    :parameters (?v - plane ?p - airport)
    :precondition (at ?v ?p)
    :effect (and (not (at ?v ?p)) (at ?v hub))))
"""
LAMPS = """\
(define (domain lamps) ; negative preconditions and negative goals; an action without parameters
  (:requirements :strips :negative-preconditions)
  (:predicates (lit ?x) (linked ?x ?y) (dead))
  (:action press
    :parameters (?x ?y)
    :precondition (and (linked ?x ?y) (not (lit ?x)) (not (dead)))
    :effect (and (lit ?x) (not (lit ?y))))
  (:action swap
    :parameters (?x ?y)
    :precondition (and (lit ?x) (not (lit ?y)))
    :effect (and (not (lit ?x)) (lit ?y)))
  (:action cut :parameters () :precondition (not (dead)) :effect (dead))
  (:action mend :parameters () :precondition (dead) :effect (not (dead))))
"""


@dataclass(frozen=True)
class World:
    """A PDDL domain, and a problem text from a random source and the goal's literals."""

    domain: str
    problem: Callable[[Random, str], str]


def _blocks(rng: Random, goal: str) -> str:
    start = blocksworld._random(rng.randint(3, 5), rng)
    text = _stacks.pddl_problem(start, start)
    return text[: text.index("(:goal")] + f"(:goal (and {goal})))"


def _logistics(rng: Random, goal: str) -> str:
    places = ["hub", "field", "shop", "farm"]
    init = [f"(road {p} {q})" for p in places for q in places if p == q or rng.random() < 0.7]
    init += [f"(at {thing} {rng.choice(places)})" for thing in ("t1", "t2", "x1", "x2")] + ["(at p1 field)"]
    return (
        "(define (problem some) (:domain logistics) (:objects t1 t2 - truck p1 - plane x1 x2 - parcel field - airport"
        f" shop farm - place) (:init {' '.join(init)}) (:goal (and {goal})))"
    )


def _lamps(rng: Random, goal: str) -> str:
    names = "abcd"
    init = [f"(linked {x} {y})" for x in names for y in names if rng.random() < 0.6]
    init += [f"(lit {x})" for x in names if rng.random() < 0.5]
    return (
        f"(define (problem some) (:domain lamps) (:objects {' '.join(names)}) (:init {' '.join(init)})"
        f" (:goal (and {goal})))"
    )


WORLDS = {
    "blocks": World(_stacks.PDDL_DOMAIN, _blocks),
    "logistics": World(LOGISTICS, _logistics),
    "lamps": World(LAMPS, _lamps),
}
