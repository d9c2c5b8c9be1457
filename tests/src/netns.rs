//! Network namespaces: two of a test's own, joined by a veth pair.
//!
//! Commands enter by `nsenter --net`. `ip netns exec` would also remount /sys, and tracefs and
//! cgroups would vanish from the command's sight.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use crate::repo::unique_name;
use crate::run::{RunError, RunOutput, run, succeed};

/// The interface in each namespace of a [`Pair`].
pub const INTERFACE: &str = "veth0";

/// A network namespace with a name, until it is dropped.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// A new namespace with its loopback interface up.
    pub fn new() -> Result<Self, RunError> {
        let netns = Self { name: unique_name() };
        succeed(ip().args(["netns", "add", &netns.name]))?;
        succeed(ip().args(["-n", &netns.name, "link", "set", "lo", "up"]))?;
        Ok(netns)
    }

    /// Its name, as `ip netns` and an attach point's `netns=` take it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its file.
    pub fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }

    /// A command that runs `program` inside; add arguments.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Sends `count` pings to `to`, 20 a second, and waits at most a second for each answer.
    pub fn ping(&self, to: Ipv4Addr, count: u32) -> Result<RunOutput, RunError> {
        let mut ping = self.command("ping");
        succeed(
            ping.args(["-n", "-i", "0.05", "-W", "1", "-c"])
                .arg(count.to_string())
                .arg(to.to_string()),
        )
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = run(ip().args(["netns", "delete", &self.name]));
    }
}

/// Two namespaces joined by a veth pair, [`INTERFACE`] in each, with an address each.
#[derive(Debug)]
pub struct Pair {
    /// Has [`Pair::LEFT`].
    pub left: Netns,
    /// Has [`Pair::RIGHT`].
    pub right: Netns,
}

impl Pair {
    /// The address on the left.
    pub const LEFT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
    /// The address on the right.
    pub const RIGHT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

    /// Makes both and joins them.
    pub fn new() -> Result<Self, RunError> {
        let pair = Self { left: Netns::new()?, right: Netns::new()? };
        succeed(
            ip().args(["link", "add", INTERFACE, "netns", pair.left.name(), "type", "veth"])
                .args(["peer", "name", INTERFACE, "netns", pair.right.name()]),
        )?;
        for (netns, address) in [(&pair.left, Self::LEFT), (&pair.right, Self::RIGHT)] {
            let address = format!("{address}/24");
            succeed(ip().args(["-n", netns.name(), "addr", "add", &address, "dev", INTERFACE]))?;
            succeed(ip().args(["-n", netns.name(), "link", "set", INTERFACE, "up"]))?;
        }
        Ok(pair)
    }

    /// Pings the right side from the left.
    pub fn ping(&self, count: u32) -> Result<RunOutput, RunError> {
        self.left.ping(Self::RIGHT, count)
    }
}

fn ip() -> Command {
    Command::new("ip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_pings_and_leaves_nothing() {
        if crate::skip::without_root() {
            return;
        }
        let pair = Pair::new().unwrap();
        let paths = [pair.left.path(), pair.right.path()];
        pair.ping(3).unwrap().assert_stdout_has("3 received");
        succeed(pair.right.command("ip").args(["link", "show", INTERFACE])).unwrap();
        drop(pair);
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
