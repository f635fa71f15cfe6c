//! Floats in columns: positional or with an exponent, whichever all of them fit.

use crate::{bf16, f16};

/// Digits behind the point.
const PRECISION: usize = 8;

/// What a float was before it was widened, which says how many digits identify it.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    F16,
    Bf16,
    F32,
    F64,
}

impl Kind {
    /// The number as the narrower type holds it.
    fn round(self, v: f64) -> f64 {
        match self {
            Self::F64 => v,
            Self::F32 => f64::from(v as f32),
            Self::F16 => f64::from(f16::from_f64(v)),
            Self::Bf16 => f64::from(bf16::from_f64(v)),
        }
    }

    /// From where on numbers have an exponent, in arrays and alone: where digits before the point stop to be exact, as NumPy
    /// has it since 2.3.
    fn limits(self) -> (f64, f64) {
        match self {
            Self::F16 | Self::Bf16 => (1e3, 1e3),
            Self::F32 => (1e6, 1e6),
            Self::F64 => (1e8, 1e16),
        }
    }
}

/// The fewest digits that read back as the same number, and the exponent of the first: `1.25e-3`.
fn shortest(v: f64, kind: Kind) -> String {
    let same = |text: &String| text.parse::<f64>().is_ok_and(|read| kind.round(read) == v);
    let at_most = match kind {
        Kind::F64 => format!("{v:e}"),
        Kind::F32 => format!("{:e}", v as f32),
        _ => return (0..8).map(|digits| format!("{v:.digits$e}")).find(same).unwrap_or_else(|| format!("{v:e}")),
    };
    // Of two that are as short and as near, the even one.
    let digits = at_most.split(['.', 'e']).nth(1).filter(|_| at_most.contains('.')).map_or(0, str::len);
    Some(format!("{v:.digits$e}")).filter(same).unwrap_or(at_most)
}

/// Mantissa and exponent with at most [`PRECISION`] digits behind the point, no zeros at the end.
fn scientific(v: f64, kind: Kind) -> (String, i32) {
    let short = shortest(v, kind);
    let (mantissa, _) = short.split_once('e').unwrap_or((&short, "0"));
    let digits = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
    let text = if digits > PRECISION { format!("{v:.PRECISION$e}") } else { short };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0') } else { mantissa };
    let point = if mantissa.contains('.') { "" } else { "." };
    (format!("{mantissa}{point}"), exponent.parse().unwrap_or(0))
}

/// Digits with a point and at most `precision` behind it, no zeros at the end: `12.`, `0.5`.
fn positional(v: f64, kind: Kind, precision: usize) -> String {
    let short = shortest(v, kind);
    let (mantissa, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let point = 1 + exponent.parse::<i32>().unwrap_or(0);
    let behind = digits.len() as i32 - point;
    let text = if behind > precision as i32 {
        format!("{v:.precision$}").trim_start_matches('-').to_owned()
    } else if point <= 0 {
        format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
    } else if behind <= 0 {
        format!("{digits}{}.", "0".repeat(behind.unsigned_abs() as usize))
    } else {
        format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
    };
    format!("{sign}{}", text.trim_end_matches('0'))
}

fn not_finite(v: f64, plus: bool) -> String {
    match (v.is_nan(), v > 0.0, plus) {
        (true, _, true) => "+nan",
        (true, ..) => "nan",
        (_, true, true) => "+inf",
        (_, true, false) => "inf",
        (_, false, _) => "-inf",
    }
    .to_owned()
}

/// How the floats of one array are printed.
pub struct Floats {
    kind: Kind,
    exponents: bool,
    /// Whether positive numbers have a sign.
    plus: bool,
    left: usize,
    right: usize,
    /// Digits of the exponent.
    exponent: usize,
}

impl Floats {
    pub fn of(values: &[f64], kind: Kind, plus: bool) -> Self {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        let sizes = || finite().map(f64::abs).filter(|&v| v != 0.0);
        let (most, least) = (sizes().fold(0.0, f64::max), sizes().fold(f64::INFINITY, f64::min));
        let exponents =
            most > 0.0 && (most >= kind.limits().0 || least < kind.round(1e-4) || kind.round(most / least) > 1000.0);
        let mut format = Self { kind, exponents, plus, left: 0, right: 0, exponent: 0 };
        for v in finite() {
            let (mantissa, exponent) = format.mantissa(v);
            let (left, right) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
            format.left = format.left.max(left.len());
            format.right = format.right.max(right.len());
            format.exponent = format.exponent.max(exponent.map_or(0, |e| e.unsigned_abs().to_string().len().max(2)));
        }
        if let Some(width) = values.iter().filter(|v| !v.is_finite()).map(|&v| not_finite(v, plus).len()).max() {
            format.left = format.left.max(width.saturating_sub(format.behind() + 1));
        }
        format
    }

    /// Characters behind the point.
    fn behind(&self) -> usize {
        self.right + if self.exponents { 2 + self.exponent } else { 0 }
    }

    fn mantissa(&self, v: f64) -> (String, Option<i32>) {
        let (text, exponent) = match self.exponents {
            true => {
                let (text, exponent) = scientific(v, self.kind);
                (text, Some(exponent))
            }
            false => (positional(v, self.kind, PRECISION), None),
        };
        let sign = if self.plus && !text.starts_with('-') { "+" } else { "" };
        (format!("{sign}{text}"), exponent)
    }

    pub fn print(&self, v: f64) -> String {
        let width = self.left + 1 + self.behind();
        if !v.is_finite() {
            return format!("{:>width$}", not_finite(v, self.plus));
        }
        let (before, behind) = (self.left, self.right);
        let (mut mantissa, mut exponent) = self.mantissa(v);
        if exponent.is_some() && mantissa.len() - mantissa.find('.').unwrap_or(0) <= behind {
            // Columns are filled with digits of the number itself, not with zeros.
            let text = format!("{v:.behind$e}");
            let (digits, size) = text.split_once('e').unwrap_or((&text, "0"));
            let plus = if self.plus && v.is_sign_positive() { "+" } else { "" };
            (mantissa, exponent) = (format!("{plus}{digits}"), size.parse().ok());
        }
        let (left, right) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
        match exponent {
            None => format!("{left:>before$}.{right:<behind$}"),
            Some(exponent) => {
                let sign = if exponent < 0 { '-' } else { '+' };
                let (size, digits) = (exponent.unsigned_abs(), self.exponent);
                format!("{left:>before$}.{right}e{sign}{size:0digits$}")
            }
        }
    }
}

/// A float alone.
pub fn scalar(v: f64, kind: Kind) -> String {
    if !v.is_finite() {
        return not_finite(v, false);
    }
    if v != 0.0 && !(1e-4..kind.limits().1).contains(&v.abs()) {
        let short = shortest(v, kind);
        let (mantissa, exponent) = short.split_once('e').unwrap_or((&short, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let text = positional(v, kind, 64);
    if text.ends_with('.') { text + "0" } else { text }
}

/// A complex number alone: `(1+2j)`, or `2j` where the real part is a positive zero.
pub fn complex_scalar(re: f64, im: f64) -> String {
    let part = |v: f64| {
        let text = scalar(v, Kind::F32);
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    if re == 0.0 && re.is_sign_positive() {
        return format!("{}j", part(im));
    }
    let plus = if im.is_nan() || !im.is_sign_negative() { "+" } else { "" };
    format!("({}{plus}{}j)", part(re), part(im))
}
