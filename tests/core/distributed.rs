//! A ring of two processes on this machine: this test binary, started again.

use mlx_core::distributed::{self, Backend, Group};
use mlx_core::{Array, Dtype, ops};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Set in the members of a ring.
const MEMBER: &str = "MLX_TEST_RING";

/// Longer than any member takes, and an end to one that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_ring_of_two_computes_together() {
    let Some(members) = ring("a_ring_of_two_computes_together", compute) else { return };
    for member in members {
        assert!(member.status.success(), "{}", String::from_utf8_lossy(&member.stderr));
    }
}

#[test]
fn a_dying_process_is_an_error_in_the_other() {
    let Some([first, second]) = ring("a_dying_process_is_an_error_in_the_other", outlive) else { return };
    assert_eq!(second.status.code(), Some(3));
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
}

#[test]
fn a_process_alone_is_a_group_unless_strict() {
    let alone = distributed::init(false, Backend::Ring).unwrap();
    assert_eq!(format!("{alone:?}"), "Group(rank 0 of 1)");
    assert!(Backend::Ring.is_available().unwrap());
    let error = distributed::init(true, Backend::Ring).unwrap_err();
    assert!(error.message().contains("ring"), "{error}");
    let x = Array::from_slice(&[1f32], &[1]).unwrap();
    let error = distributed::send(&x, 1, &alone).unwrap_err();
    assert!(error.message().contains("singleton"), "{error}");
}

/// Runs the test `name` again as each of two members, which do the `work`; what they said and how they ended. `None` in a
/// member itself.
fn ring(name: &str, work: fn(&Group)) -> Option<[Output; 2]> {
    if std::env::var_os(MEMBER).is_some() {
        let group = distributed::init(true, Backend::Ring).unwrap();
        assert_eq!(group.size(), 2);
        work(&group);
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts.json");
    // Free a moment ago, and nobody else asks for ports in that moment.
    let ports = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let [a, b] = ports.each_ref().map(|port| port.local_addr().unwrap());
    drop(ports);
    std::fs::write(&hosts, format!(r#"[["{a}"], ["{b}"]]"#)).unwrap();
    let start = |rank: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("core::distributed::{name}"), "--nocapture"])
            .envs([(MEMBER, "1"), ("MLX_RANK", rank)])
            .env("MLX_HOSTFILE", &hosts)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let members = ["0", "1"].map(start);
    let deadline = Instant::now() + PATIENCE;
    Some(members.map(|member| finish(member, deadline)))
}

fn finish(mut member: Child, deadline: Instant) -> Output {
    while member.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            member.kill().unwrap();
            panic!("a member did not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    member.wait_with_output().unwrap()
}

fn compute(group: &Group) {
    let rank = group.rank();
    let x = Array::from_slice(&[rank as f32 + 1.0, 5.0 - rank as f32], &[2]).unwrap();
    let values = |result: mlx_core::Result<Array>| result.unwrap().to_vec::<f32>().unwrap();
    assert_eq!(values(distributed::all_sum(&x, group)), [3.0, 9.0]);
    assert_eq!(values(distributed::all_max(&x, group)), [2.0, 5.0]);
    assert_eq!(values(distributed::all_min(&x, group)), [1.0, 4.0]);
    let all = distributed::all_gather(&x, group).unwrap();
    assert_eq!((all.shape(), values(Ok(all.clone()))), (&[4][..], vec![1.0, 5.0, 2.0, 4.0]));
    let from = 1 - rank;
    if rank == 0 {
        distributed::send(&x, 1, group).unwrap().eval().unwrap();
        assert_eq!(values(distributed::recv_like(&x, from, group)), [2.0, 4.0]);
    } else {
        assert_eq!(values(distributed::recv(&[2], Dtype::F32, from, group)), [1.0, 5.0]);
        distributed::send(&x, 0, group).unwrap().eval().unwrap();
    }
    let large = ops::full(&[300, 1000], &x, Dtype::F32);
    assert!(large.is_err(), "two values do not fill 300 x 1000");
    let large = ops::broadcast_to(&x, &[1000, 2]).unwrap();
    assert!(values(distributed::all_sum(&large, group)).chunks(2).all(|pair| pair == [3.0, 9.0]));
    let error = group.split(0, None).unwrap_err();
    assert!(error.message().contains("[ring]"), "{error}");
}

/// Rank 1 ends without a word; rank 0 has to get an error.
fn outlive(group: &Group) {
    let x = Array::from_slice(&[1f32; 1000], &[1000]).unwrap();
    let sum = || distributed::all_sum(&x, group).and_then(|sum| sum.eval());
    sum().unwrap();
    if group.rank() == 1 {
        std::process::exit(3);
    }
    let error = (0..1000).find_map(|_| sum().err()).expect("an error after the other's end");
    assert!(error.message().contains("[ring]"), "{error}");
}
