"""What must be true in every state of every run. Each name is a sentence; its docstring is the one of the semantics
that it proves, and its few lines ask the status alone, never the engine.

What is true by the way the walk is made is not listed: an attempt is sent only out of a plan whose status was stored,
and an operator that stops takes nothing with it but what is in flight.
"""

from tests.engine.explorer import backward, called, commanded, forward, shown

INVARIANTS = (
    # Remember before you act
    called.a_call_is_announced_before_it_is_sent,
    called.every_intention_is_sent,
    called.every_attempt_of_a_call_carries_the_same_key,
    called.a_retry_sends_the_same_bytes,
    called.the_generation_grows_only_by_a_new_key,
    called.the_number_grows_unless_the_attempt_was_lost,
    called.the_limit_counts_retries,
    called.a_lost_attempt_may_have_happened,
    called.nothing_that_is_lost_stays_in_flight,
    called.what_was_cut_is_not_waited_for,
    # Verdict and effect
    called.an_answer_is_judged_by_the_table,
    called.the_effect_is_what_was_observed,
    called.an_effect_never_weakens,
    called.a_conflict_is_certain_until_an_attempt_is_unknown,
    called.no_request_changes_by_itself,
    # Forward
    forward.a_step_starts_when_all_it_requires_is_done,
    forward.a_fallback_starts_when_its_owner_has_failed_and_is_undone,
    forward.whatever_may_start_is_started,
    forward.a_step_is_skipped_for_a_reason,
    forward.what_has_ended_stays_as_it_is,
    forward.a_run_succeeds_when_every_step_is_done,
    forward.a_run_fails_when_a_failure_counts,
    forward.nothing_forward_begins_after_failure_or_abort,
    forward.who_is_waited_for_ends_in_success_or_aborted,
    forward.a_passed_timeout_cuts,
    forward.a_timeout_passes_when_its_time_is_over,
    forward.the_clocks_stand_still_while_suspended,
    # Backward
    backward.an_undo_starts_when_nothing_forward_is_in_flight,
    backward.an_undo_waits_for_all_that_required_the_step,
    backward.undone_is_what_may_have_happened,
    backward.mode_none_undoes_only_for_a_fallback_or_by_command,
    backward.an_undo_that_succeeded_is_final,
    backward.whatever_may_be_undone_is_being_undone,
    backward.a_failed_undo_parks,
    backward.the_plan_lists_every_undo_in_order,
    backward.a_run_that_was_undone_has_nothing_left,
    backward.an_undo_is_given_up_only_by_command,
    # Verbs
    commanded.nothing_begins_while_frozen,
    commanded.nothing_follows_while_frozen,
    commanded.a_command_is_accepted_where_the_table_says_so,
    commanded.a_rejected_command_changes_nothing,
    commanded.an_abort_is_at_once,
    commanded.giving_up_ends_the_undo,
    commanded.a_person_can_undo_by_hand,
    commanded.a_retry_is_due_at_once,
    # Status
    shown.the_end_is_final,
    shown.an_end_leaves_nothing_open,
    shown.the_phase_says_what_is_going_on,
    shown.the_compensation_says_what_is_going_on,
    shown.succeeded_is_unknown_until_the_phase_decides,
    shown.kstatus_says_who_must_act,
    shown.suspended_says_why,
    shown.compensated_appears_with_the_first_undo,
    shown.planning_again_changes_nothing,
    shown.a_status_survives_being_stored,
    shown.somebody_or_something_wakes_a_run,
    shown.an_event_tells_what_a_person_must_see,
)
