//! The sample with everything in it, spoilt by texts from somebody who means harm.

use super::super::report::{Fix, Report, Verdict};
use super::mixed;

/// Texts that try to steer a terminal, to break out of a table, and to become markup.
pub const HOSTILE: [&str; 6] = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m",
    "a|b`c`<script>alert(1)</script><!-- --> &lt;",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png) {0}",
    "line\r\n\n# heading\n\n</details>\n| cell |\u{2028}x",
    "\u{202e}gnp.exe\u{200b}\u{feff}\0",
    "*bold* __under__ ~~gone~~ @someone #1 https://evil.example \\",
];

/// Everything that is a text in the mixed report, made hostile.
pub fn hostile() -> Report {
    let mut report = mixed();
    let mut next = 0;
    let mut spoil = |text: &mut String| {
        text.push_str(HOSTILE[next % HOSTILE.len()]);
        next += 1;
    };
    for finding in &mut report.findings {
        for text in [
            &mut finding.lock,
            &mut finding.package,
            &mut finding.version,
            &mut finding.id,
            &mut finding.summary,
            &mut finding.because,
        ] {
            spoil(text);
        }
        let lists = [&mut finding.ids, &mut finding.chain, &mut finding.groups];
        lists.into_iter().flatten().for_each(&mut spoil);
        finding.url.iter_mut().for_each(&mut spoil);
        if let Fix::Version {
            version,
            command,
            blocked_by,
            ..
        } = &mut finding.fix
        {
            spoil(version);
            spoil(command);
            blocked_by.iter_mut().for_each(&mut spoil);
        }
        if let Verdict::Ignored { reason, until } = &mut finding.verdict {
            spoil(reason);
            spoil(until);
        }
    }
    spoil_rest(&mut report, &mut spoil);
    report
}

fn spoil_rest(report: &mut Report, spoil: &mut dyn FnMut(&mut String)) {
    for one in &mut report.unchecked {
        [
            &mut one.lock,
            &mut one.package,
            &mut one.version,
            &mut one.reason,
        ]
        .into_iter()
        .for_each(&mut *spoil);
    }
    for one in &mut report.licenses {
        [
            &mut one.lock,
            &mut one.package,
            &mut one.version,
            &mut one.because,
        ]
        .into_iter()
        .for_each(&mut *spoil);
        one.license
            .iter_mut()
            .chain(&mut one.origin)
            .for_each(&mut *spoil);
    }
    for one in &mut report.locks {
        [&mut one.path, &mut one.kind, &mut one.format]
            .into_iter()
            .for_each(&mut *spoil);
        one.notes
            .iter_mut()
            .chain(&mut one.skipped)
            .for_each(&mut *spoil);
    }
    for one in &mut report.databases {
        [&mut one.ecosystem, &mut one.source, &mut one.date]
            .into_iter()
            .for_each(&mut *spoil);
    }
    for one in &mut report.ignores {
        [&mut one.id, &mut one.package]
            .into_iter()
            .for_each(&mut *spoil);
    }
    report.warnings.iter_mut().for_each(spoil);
}
