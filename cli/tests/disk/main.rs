//! The bad disk: first that it is a good one without rules, for programs of all kinds, and then what each
//! rule does to them, seen from inside.

mod costs;
mod differential;
mod faithful;
mod mounted;
mod power;
mod rules;
#[path = "../runner/mod.rs"]
mod runner;

fn main() -> std::process::ExitCode {
    mounted::keep_mounts_here();
    runner::run(&[
        (
            "differential::random_operations_fare_as_on_a_plain_folder",
            differential::random_operations_fare_as_on_a_plain_folder,
        ),
        ("faithful::what_databases_do_with_files", faithful::what_databases_do_with_files),
        ("faithful::files_belong_to_who_made_them", faithful::files_belong_to_who_made_them),
        ("faithful::sqlite_keeps_what_it_committed", faithful::sqlite_keeps_what_it_committed),
        ("faithful::etcd_serves_and_remembers", faithful::etcd_serves_and_remembers),
        (
            "faithful::a_killed_server_leaves_the_folder_whole",
            faithful::a_killed_server_leaves_the_folder_whole,
        ),
        ("rules::reads_fail_even_of_what_was_cached", rules::reads_fail_even_of_what_was_cached),
        ("rules::writes_fail_and_change_nothing", rules::writes_fail_and_change_nothing),
        ("rules::syncs_fail", rules::syncs_fail),
        ("rules::bits_flip_on_the_way_to_the_reader", rules::bits_flip_on_the_way_to_the_reader),
        ("rules::bits_flip_for_good", rules::bits_flip_for_good),
        (
            "rules::operations_are_late_by_as_much_as_asked",
            rules::operations_are_late_by_as_much_as_asked,
        ),
        ("rules::no_room_is_left", rules::no_room_is_left),
        ("rules::rules_end_with_who_imposed_them", rules::rules_end_with_who_imposed_them),
        (
            "power::a_write_is_torn_where_the_power_goes",
            power::a_write_is_torn_where_the_power_goes,
        ),
        (
            "power::what_a_lying_disk_had_synced_is_gone",
            power::what_a_lying_disk_had_synced_is_gone,
        ),
        ("costs::what_it_costs", costs::what_it_costs),
    ])
}
