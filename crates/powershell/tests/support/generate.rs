//! Scripts from a seed: the pure part of the language (values, operators, conversions, collections, pipelines of object cmdlets,
//! formatting), as `cargo xtask generate` puts them to PowerShell and the fuzz tests to the evaluator. The same seed gives the same script.
#![allow(unreachable_pub, dead_code)]

/// A stream of numbers from a seed (splitmix64).
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    /// One of some texts.
    pub fn piece(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

const ATOMS: &[&str] = &[
    "$null",
    "$true",
    "$false",
    "0",
    "1",
    "-1",
    "2",
    "7",
    "255",
    "1.5",
    "-0.25",
    "2.50d",
    "3L",
    "0x1F",
    "1kb",
    "1e3",
    "2147483647",
    "''",
    "'a'",
    "'B'",
    "'abc'",
    "'Hello World'",
    "'10'",
    "'2.5'",
    "' 3 '",
    "'0x10'",
    "'true'",
    "'a,b,c'",
    "'x=1;y=2'",
    "\"t`tn`n\"",
    "'ä'",
    "@()",
    "@(1)",
    "@(1, 2, 3)",
    "@('a', 'b', 'A')",
    "@(3, 'x', $null)",
    "@(1.5, 2)",
    "(1, 2), 3",
    "(1..5)",
    "@{}",
    "@{ a = 1 }",
    "[ordered]@{ b = 2; a = 1 }",
    "[char]'x'",
    "[datetime]'2015-03-04 05:06:07'",
    "[timespan]'1.02:03:04'",
    "[version]'1.2.3'",
    "[guid]'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
    "[pscustomobject]@{ n = 1; s = 'x' }",
    "[int]",
    "[byte]200",
    "[long]5",
    "[decimal]1.10",
    "[single]0.1",
    "[System.DayOfWeek]'Monday'",
    "[System.Collections.ArrayList]@(1, 2)",
    "{ 1 }",
    "$i",
    "$s",
    "$a",
    "$h",
    "$o",
];
const BINARY: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "-eq",
    "-ne",
    "-lt",
    "-le",
    "-gt",
    "-ge",
    "-ceq",
    "-cne",
    "-ieq",
    "-like",
    "-notlike",
    "-clike",
    "-match",
    "-notmatch",
    "-cmatch",
    "-contains",
    "-notcontains",
    "-in",
    "-notin",
    "-and",
    "-or",
    "-xor",
    "-band",
    "-bor",
    "-bxor",
    "-shl",
    "-shr",
    "-join",
    "-split",
    "-csplit",
    "-replace",
    "-creplace",
    "-is",
    "-isnot",
    "-as",
    "-f",
    "..",
];
const UNARY: &[&str] = &["-", "+", "!", "-not ", "-bnot ", "-join ", "-split ", ","];
const CASTS: &[&str] = &[
    "[int]",
    "[string]",
    "[bool]",
    "[double]",
    "[long]",
    "[char]",
    "[array]",
    "[string[]]",
    "[int[]]",
    "[decimal]",
    "[byte]",
    "[object[]]",
    "[datetime]",
    "[timespan]",
    "[version]",
    "[uint16]",
    "[single]",
];
const MEMBERS: &[&str] = &[
    ".Length",
    ".Count",
    ".ToString()",
    ".GetType().Name",
    ".n",
    ".a",
    ".Keys",
    ".Values",
    "[0]",
    "[-1]",
    "[1..2]",
    "['a']",
    "[5]",
    ".ToUpper()",
    ".Trim()",
    ".Substring(1)",
    ".Split(',')",
    ".Replace('a', 'b')",
    ".IndexOf('b')",
    ".Contains('a')",
    ".StartsWith('a')",
    ".PadLeft(6)",
    ".Equals('a')",
    ".CompareTo('a')",
    ".Year",
    ".TotalHours",
    ".AddDays(1)",
    ".ToString('N2')",
    ".ToString('yyyy-MM-dd')",
    ".Major",
    ".Insert(0, 'x')",
    ".Remove(0, 1)",
    ".ToCharArray()",
    ".ContainsKey('a')",
    ".Where({ $_ })",
    ".ForEach({ \"<$_>\" })",
    ".PSObject.Properties.Name",
];
const STAGES: &[&str] = &[
    "ForEach-Object { $_ }",
    "ForEach-Object { \"[$_]\" }",
    "Where-Object { $_ }",
    "Where-Object { $_ -gt 1 }",
    "Sort-Object",
    "Sort-Object -Descending",
    "Select-Object -First 2",
    "Select-Object -Last 1",
    "Select-Object -Skip 1",
    "Select-Object -Unique",
    "Select-Object n, s",
    "Select-Object Length",
    "Select-Object @{ n = 'v'; e = { \"$_\" } }",
    "Select-Object -ExpandProperty n",
    "Measure-Object",
    "Group-Object",
    "Group-Object Length -NoElement",
    "Get-Unique",
    "Out-String",
    "Format-List | Out-String",
    "Format-Table | Out-String",
    "Format-Table -AutoSize | Out-String",
    "Format-Wide | Out-String",
    "ConvertTo-Csv -NoTypeInformation",
    "Select-String 'a'",
    "ForEach-Object ToString",
    "Where-Object n -eq 1",
    "Out-Null",
    "Sort-Object Length, { \"$_\" }",
    "Compare-Object @(1, 2, 3)",
    "ForEach-Object { $_; $_ }",
    "Measure-Object -Sum -Average",
    "Tee-Object -Variable t",
];

/// A statement that is to be the first of every script.
pub const PRELUDE: &str =
    "$i = 5; $s = 'Text'; $a = @(4, 'b', 2.5); $h = @{ a = 1 }; $o = [pscustomobject]@{ n = 2; s = 'y'; a = @(1, 2) }";

fn expression(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return random.piece(ATOMS).to_string();
    }
    let inner = |random: &mut Random| {
        let deeper = random.below(depth);
        let text = expression(random, deeper);
        if text.contains([' ', ',']) || text.starts_with(['-', '!', ',', '+']) { format!("({text})") } else { text }
    };
    match random.below(10) {
        0..=4 => {
            let (left, operator, right) = (inner(random), random.piece(BINARY), inner(random));
            format!("{left} {operator} {right}")
        }
        5 => format!("{}{}", random.pick(UNARY), inner(random)),
        6 => format!("{}{}", random.pick(CASTS), inner(random)),
        7 => format!("({}){}", inner(random), random.pick(MEMBERS)),
        8 => format!("\"<$({})>\"", inner(random).replace('"', "'")),
        _ => format!("$(if ({}) {{ {} }} else {{ {} }})", inner(random), inner(random), inner(random)),
    }
}

/// A statement.
pub fn statement(random: &mut Random) -> String {
    let depth = 1 + random.below(2);
    let head = expression(random, depth);
    match random.below(12) {
        0..=5 => head,
        6..=8 => {
            let mut text = format!("({head})");
            for _ in 0..=random.below(2) {
                text.push_str(" | ");
                text.push_str(random.piece(STAGES));
            }
            text
        }
        9 => format!("foreach ($x in {head}) {{ \"$x\" }}"),
        10 => {
            format!("switch ({head}) {{ 1 {{ 'one' }} 'a' {{ 'letter' }} {{ $_ -is [string] }} {{ 'text' }} default {{ \"other $_\" }} }}")
        }
        _ => format!("$v = {head}; \"$v\"; $v.Count"),
    }
}
