//! `System.Decimal`: 96 bits of digits and a power of ten, exact for money and for `1.1d`.

use std::cmp::Ordering;
use std::fmt;

const MAX: i128 = (1 << 96) - 1;
const MAX_SCALE: u32 = 28;

/// A decimal number: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

// The operations answer `None` where the operators of the standard traits could not.
#[allow(clippy::should_implement_trait)]
impl Decimal {
    /// A decimal from its parts; `None` when it does not fit 96 bits after rounding.
    pub fn new(mantissa: i128, scale: u32) -> Option<Self> {
        let (mut mantissa, mut scale) = (mantissa, scale);
        while scale > MAX_SCALE || mantissa.abs() > MAX {
            if scale == 0 {
                return None;
            }
            mantissa = round_half_even(mantissa, 10);
            scale -= 1;
        }
        Some(Self { mantissa, scale })
    }

    /// A whole number.
    pub fn from_int(value: i128) -> Option<Self> {
        Self::new(value, 0)
    }

    /// The nearest decimal with at most 15 significant digits, as .NET converts doubles.
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() >= 7.922_816_251_426_434e28 {
            return None;
        }
        Self::parse(&super::text::general(value, 15))
    }

    /// Reads `-1.50`, also with an exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (mut mantissa, mut scale, mut seen, mut fraction) = (0i128, 0i32, false, false);
        for c in digits.chars() {
            match c {
                '.' if !fraction => fraction = true,
                ',' if !fraction => {}
                '0'..='9' => {
                    seen = true;
                    if mantissa > MAX {
                        if !fraction {
                            return None;
                        }
                        continue;
                    }
                    mantissa = mantissa * 10 + i128::from(c as u32 - '0' as u32);
                    scale += i32::from(fraction);
                }
                _ => return None,
            }
        }
        if !seen {
            return None;
        }
        scale -= exponent;
        while scale < 0 {
            mantissa = mantissa.checked_mul(10).filter(|m| *m <= MAX)?;
            scale += 1;
        }
        Self::new(if negative { -mantissa } else { mantissa }, u32::try_from(scale).ok()?)
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The nearest whole number, halves to even.
    pub fn to_int(self) -> i128 {
        round_half_even(self.mantissa, 10i128.pow(self.scale))
    }

    /// Rounds to a number of decimals, halves to even.
    pub fn round(self, decimals: u32) -> Self {
        if decimals >= self.scale {
            return self;
        }
        Self { mantissa: round_half_even(self.mantissa, 10i128.pow(self.scale - decimals)), scale: decimals }
    }

    /// Whether the number is zero.
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The negated number.
    #[must_use]
    pub fn negate(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let left = self.mantissa.checked_mul(10i128.checked_pow(scale - self.scale)?)?;
        let right = other.mantissa.checked_mul(10i128.checked_pow(scale - other.scale)?)?;
        Some((left, right, scale))
    }

    /// Sum; `None` on overflow.
    pub fn add(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Self::new(left.checked_add(right)?, scale)
    }

    /// Product; `None` on overflow.
    pub fn mul(self, other: Self) -> Option<Self> {
        Self::new(self.mantissa.checked_mul(other.mantissa)?, self.scale + other.scale)
    }

    /// Quotient to 28 digits; `None` for a zero divisor.
    pub fn div(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        let (mut dividend, divisor) = (self.mantissa, other.mantissa);
        let mut scale = i64::from(self.scale) - i64::from(other.scale);
        while (dividend % divisor != 0 || scale < 0) && scale < i64::from(MAX_SCALE) {
            let Some(next) = dividend.checked_mul(10) else { break };
            dividend = next;
            scale += 1;
        }
        Self::new(round_half_even(dividend, divisor), u32::try_from(scale).ok()?)
    }

    /// Remainder with the sign of the dividend; `None` for a zero divisor.
    pub fn rem(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Self::new(left.checked_rem(right)?, scale)
    }
}

/// Divides and rounds, halves to the even neighbour.
fn round_half_even(dividend: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (dividend / divisor, dividend % divisor);
    let twice = remainder.unsigned_abs() * 2;
    let up = match twice.cmp(&divisor.unsigned_abs()) {
        Ordering::Greater => true,
        Ordering::Equal => quotient % 2 != 0,
        Ordering::Less => false,
    };
    if up { quotient + if (dividend < 0) == (divisor < 0) { 1 } else { -1 } } else { quotient }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0width$}", self.mantissa.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.aligned(*other) {
            Some((left, right, _)) => Some(left.cmp(&right)),
            None => self.to_f64().partial_cmp(&other.to_f64()),
        }
    }
}
