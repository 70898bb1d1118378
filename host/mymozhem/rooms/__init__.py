"""What happens in rooms: a module per use case, and the only writers of rooms' rows.

A folder imports only from rows below its own; folders of one row never import each other.

8 actions/         batch, checks, perform
  lifecycle/       create, short_code, update
  jobs/            change_payload, cleanup, clock_jumps, draws, imports, leases, notices,
                   results, runner, steps, timers, windows
  replay.py
7 effects.py
  participants/    add_people, admit, display_names, erase, import_table, join, join_policy, lookup,
                   manage, people_table, return_codes,
                   tickets
  upgrades/        apply, bulk, form, migrate, plan, preconditions, procedure, rollback,
                   snapshot, upgrade
  views/           account, admin, base, deliveries, draws, locks, log, paging,
                   participants, prizes, room_models, rooms, snapshot, standings,
                   submission_columns, submission_visibility, submissions, windows, winners
6 windows/         close, commands, downtime, judge, lease, on_room_change, open, queries,
                   rejudge, results, rules, settle, share, submission_batch,
                   submission_lookup, submit, text_folding, timing
5 draws/           commands, commit, entries, items, manage, picks, published_records,
                   queries, record, record_bytes, reveal, secret, select, snapshot
  locks/           advice, document, drift, queries, reconciler, serving, verify
  app_settings/    import_text, import_values, update
  timers.py
4 app_calls/       backoff, callbacks, exchange, fallbacks, late_answers, pending, recovery,
                   retry
  prizes/          inventory, manage, manage_winners, winners
  notifications/   deprecation, send
  app_state.py
  scores.py
3 core/            access, app_context, app_context_data, app_outbox, audiences, call_listener,
                   caller_reads, event_log, join_code, leased, membership, notices,
                   participant_lookup, revision, services, transaction, uploaded_text,
                   whole_numbers
2 coordination/    action_batches, in_flight_calls, join_batches, known_locks, room_mutex,
                   submission_batches, timer_rates
1 tables/          draws, events, imports, locks, notifications, participants, pending_calls,
                   prizes, results, rooms, scores, timers, windows
"""
