//! `examples/embed.rs` works as described. `.ci/run` checks that it builds without features, as a
//! product links this library.

use olr_core::entitlement::Cause;
use olr_core::wire::codec::Limit;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::here::{self, now};
use crate::server::{HOUR, count, granting, name, stops};

/// Runs the example. `cargo test` has already built it, so this is fast.
fn embed(home: &Path, users: &[&str]) -> (Option<i32>, String, String) {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.args(["build", "--quiet", "--locked", "--offline", "--example", "embed"]);
        command.args((!cfg!(debug_assertions)).then_some("--release"));
        // The variables that cargo sets for this test would make it build some crates again.
        let set = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_"];
        let is_set = |name: &str| set.iter().any(|start| name.starts_with(start));
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(is_set) {
                command.env_remove(name);
            }
        }
        assert!(command.status().unwrap().success());
        let folder = Path::new(env!("CARGO_BIN_EXE_olr")).parent().unwrap();
        folder.join("examples").join(format!("embed{}", std::env::consts::EXE_SUFFIX))
    });
    let output = Command::new(&*BUILT).arg(home).args(users).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_small_product_starts_counts_tells_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    // No license was requested yet.
    let (status, said, why) = embed(&home, &["ann"]);
    assert_eq!((status, said.as_str()), (Some(1), ""), "{why}");
    assert!(why.starts_with("not-activated: nothing was requested"), "{why}");
    assert!(why.contains("\nhint: make a request, carry it to your vendor"), "{why}");

    let two = || {
        let mut grant = crate::server::grant("OBM", None);
        grant.quota = Limit::Only(2);
        granting(vec![grant])
    };
    here::write(
        &home,
        &here::installed(now(), |_, body| {
            two()(body);
            stops(Cause::OverQuota, 12 * HOUR)(body);
        }),
    );
    let (status, said, _) = embed(&home, &["ann", "bob"]);
    assert_eq!((status, said.as_str()), (Some(0), "created ann\ncreated bob\n2 users\n"));
    let (status, said, _) = embed(&home, &["ann", "bob", "eve"]);
    let no = "no: quota-exceeded: OBM: 2 granted, 2 used, 1 more wanted";
    assert_eq!((status, said), (Some(0), format!("created ann\ncreated bob\n{no}\n2 users\n")));

    // Over the quota for longer than the grace period: reported once, then stopped.
    let then = olr_core::time::Instant::new(now().seconds - 13 * HOUR);
    let mut state = here::installed(then, |_, body| {
        two()(body);
        stops(Cause::OverQuota, 12 * HOUR)(body);
    });
    state.report(&name(), &[count("OBM", 3)], then).unwrap();
    here::write(&home, &state);
    let (status, said, why) = embed(&home, &[]);
    assert_eq!((status, said.lines().count()), (Some(1), 1), "{said}{why}");
    assert!(said.starts_with("event over-quota ended: quota-exceeded: the grace period"), "{said}");
    let fact = "OBM: 3 used, 2 granted\nhint: remove what is no longer used";
    assert!(
        why.starts_with("quota-exceeded: the grace period ended at ") && why.contains(fact),
        "{why}"
    );
    let (status, said, _) = embed(&home, &[]);
    assert_eq!((status, said.as_str()), (Some(1), ""), "it was acknowledged");
}
