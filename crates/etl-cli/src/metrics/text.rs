//! Prometheus's text format, version 0.0.4: families of samples, each with its help and its type.
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! Written out here since the maintained Rust clients write another format (OpenMetrics), or want to own the counters.
//! Invariant: help texts and label values are words of this program, of which none needs escaping.

use std::fmt::{Display, Write as _};

use crate::pipeline::Distribution;

/// A text that grows by families.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "counter", help);
        self.line(format_args!("{name} {value}"));
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        self.line(format_args!("{name} {value}"));
    }

    /// A family of `kind` with a sample for each set of labels, which are written as `name="value"`, separated by commas.
    pub(super) fn family<V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, V)>,
    ) {
        self.head(name, kind, help);
        for (labels, value) in samples {
            self.line(format_args!("{name}{{{labels}}} {value}"));
        }
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, distribution: &Distribution) {
        let Distribution { below, count, sum } = distribution;
        self.head(name, "histogram", help);
        for (bound, number) in below {
            self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {number}"));
        }
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("{name}_sum {sum}"));
        self.line(format_args!("{name}_count {count}"));
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes what is written to it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_family_is_written_as_the_format_wants_it() {
        let mut text = Text::default();
        text.counter("a_total", "All of it.", 7);
        text.gauge("b_seconds", "How long.", 0.25);
        let samples = [("k=\"x\"".to_owned(), 1), ("k=\"y\"".to_owned(), 0)];
        text.family("c_total", "counter", "By kind.", samples);
        let distribution = Distribution {
            below: vec![(0.5, 1), (5.0, 3)],
            count: 4,
            sum: 12.5,
        };
        text.histogram("d_rows", "How many.", &distribution);
        let expected = "\
# HELP a_total All of it.
# TYPE a_total counter
a_total 7
# HELP b_seconds How long.
# TYPE b_seconds gauge
b_seconds 0.25
# HELP c_total By kind.
# TYPE c_total counter
c_total{k=\"x\"} 1
c_total{k=\"y\"} 0
# HELP d_rows How many.
# TYPE d_rows histogram
d_rows_bucket{le=\"0.5\"} 1
d_rows_bucket{le=\"5\"} 3
d_rows_bucket{le=\"+Inf\"} 4
d_rows_sum 12.5
d_rows_count 4
";
        assert_eq!(text.into_string(), expected);
    }
}
