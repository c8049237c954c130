package config

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/fluxbatch/fluxbatch/internal/lang"
)

// show writes a value as an expression that has this value, with its type: [..] is a tuple, {..} an
// object.
func show(v cty.Value) string {
	if v.IsMarked() {
		if v.HasMark(lang.Sensitive) {
			return "(sensitive)"
		}
		v, _ = v.Unmark()
	}
	ty := v.Type()
	switch {
	case !v.IsKnown():
		return "unknown " + ty.FriendlyName()
	case v.IsNull():
		return "null"
	case ty == cty.String:
		return strconv.Quote(v.AsString())
	case ty == cty.Number:
		return v.AsBigFloat().Text('f', -1)
	case ty == cty.Bool:
		return strconv.FormatBool(v.True())
	}
	var parts []string
	for key, element := range v.Elements() {
		if !ty.IsObjectType() && !ty.IsMapType() {
			parts = append(parts, show(element))
			continue
		}
		name := key.AsString()
		if !hclsyntax.ValidIdentifier(name) {
			name = strconv.Quote(name)
		}
		parts = append(parts, fmt.Sprintf("%s = %s", name, show(element)))
	}
	text := strings.Join(parts, ", ")
	switch {
	case ty.IsTupleType():
		return "[" + text + "]"
	case ty.IsObjectType():
		return "{" + text + "}"
	case ty.IsListType():
		return "tolist([" + text + "])"
	case ty.IsSetType():
		return "toset([" + text + "])"
	case ty.IsMapType():
		return "tomap({" + text + "})"
	}
	return ty.FriendlyName()
}

// expressions are examples from Terraform's documentation of its language and functions, and a few
// around them, with the values that they have there.
var expressions = []struct{ expr, want string }{
	// Types, operators and conditionals.
	{`1 + 2 * 3`, `7`},
	{`(1 + 2) * 3`, `9`},
	{`7 / 2`, `3.5`},
	{`7 % 3`, `1`},
	{`-5`, `-5`},
	{`1 == 1 && !false || false`, `true`},
	{`"a" != "b"`, `true`},
	{`1 == "1"`, `false`},
	{`5 >= 5`, `true`},
	{`true ? "yes" : "no"`, `"yes"`},
	{`var.nothing == null ? "none" : var.nothing`, `"none"`},
	{`true ? 1 : "x"`, `"1"`},
	{`true ? ["a"] : null`, `["a"]`},
	{`[1, "two", true]`, `[1, "two", true]`},
	{`{ a = 1, "b c" = 2 }`, `{a = 1, "b c" = 2}`},
	{`{ (local.foo.bar) = 1 }`, `{baz = 1}`},
	{`local.foo.bar`, `"baz"`},
	{`local.foo["bar"]`, `"baz"`},
	{`var.list[1]`, `"b"`},
	{`var.objects[0].tags[1]`, `"y"`},
	{`"${1 + 1}"`, `2`},
	{`"is ${1 + 1}"`, `"is 2"`},

	// Strings and templates.
	{`"Hello, ${local.foo.bar}!"`, `"Hello, baz!"`},
	{`"$${literal} %%{literal}"`, `"${literal} %{literal}"`},
	{`"tab\tnewline\nquote\"u\u00e9"`, `"tab\tnewline\nquote\"ué"`},
	{`"%{ if local.foo.bar != "" }${local.foo.bar}%{ else }unnamed%{ endif }"`, `"baz"`},
	{`"%{ for s in var.list }${s};%{ endfor }"`, `"a;b;c;"`},
	{"<<-EOT\n  a\n    b\n  EOT\n", `"a\n  b\n"`},

	// for expressions.
	{`[for s in var.list : upper(s)]`, `["A", "B", "C"]`},
	{`[for k, v in var.map : length(k) + length(v)]`, `[2, 2]`},
	{`[for i, v in var.list : "${i} is ${v}"]`, `["0 is a", "1 is b", "2 is c"]`},
	{`{for s in var.list : s => upper(s)}`, `{a = "A", b = "B", c = "C"}`},
	{`[for s in var.list : upper(s) if s != "b"]`, `["A", "C"]`},
	{`{ for name, user in var.users : name => user if user.is_admin }`, `{alice = {is_admin = true}}`},
	{`{ for name, user in var.users : user.is_admin => name... }`, `{false = ["bob"], true = ["alice"]}`},
	{`[for x in toset(["b", "a"]) : x]`, `["a", "b"]`},
	{`[for k, v in { b = 1, a = 2 } : k]`, `["a", "b"]`},
	{`[for x in [] : x]`, `[]`},

	// Splat expressions.
	{`var.objects[*].id`, `["i-1", "i-2"]`},
	{`var.objects.*.id`, `["i-1", "i-2"]`},
	{`var.objects[*].tags[0]`, `error`},
	{`local.foo[*].bar`, `["baz"]`},
	{`null[*]`, `[]`},
	{`var.nothing[*]`, `[]`},
	{`"x"[*]`, `["x"]`},

	// Optional attributes.
	{`var.bucket`, `{enabled = true, name = "terraform", website = {error_document = "error.html", index_document = "index.html", routing_rules = null}}`},

	// Numeric functions.
	{`abs(-12.4)`, `12.4`},
	{`abs(23)`, `23`},
	{`ceil(5.1)`, `6`},
	{`floor(4.9)`, `4`},
	{`log(16, 2)`, `4`},
	{`max(12, 54, 3)`, `54`},
	{`max([12, 54, 3]...)`, `54`},
	{`min(12, 54, 3)`, `3`},
	{`parseint("100", 10)`, `100`},
	{`parseint("FF", 16)`, `255`},
	{`parseint("-10", 2)`, `-2`},
	{`pow(3, 2)`, `9`},
	{`pow(4, 0)`, `1`},
	{`signum(-13)`, `-1`},
	{`signum(0)`, `0`},

	// String functions.
	{`chomp("hello\r\n")`, `"hello"`},
	{`endswith("hello world", "world")`, `true`},
	{`endswith("hello world", "hello")`, `false`},
	{`format("Hello, %s!", "Ander")`, `"Hello, Ander!"`},
	{`format("There are %d lights", 4)`, `"There are 4 lights"`},
	{`format("%03d", 7)`, `"007"`},
	{`format("%#v", [1, "a"])`, `"[1,\"a\"]"`},
	{`format("%5.2f|%-5s|%5s", 3.14159, "ab", "cd")`, `" 3.14|ab   |   cd"`},
	{`formatlist("Hello, %s!", ["Valentina", "Ander", "Olivia", "Sam"])`, `tolist(["Hello, Valentina!", "Hello, Ander!", "Hello, Olivia!", "Hello, Sam!"])`},
	{`formatlist("%s, %s!", "Salutations", ["Valentina", "Ander"])`, `tolist(["Salutations, Valentina!", "Salutations, Ander!"])`},
	{`indent(2, "[\n  foo,\n]")`, `"[\n    foo,\n  ]"`},
	{`join("-", ["foo", "bar", "baz"])`, `"foo-bar-baz"`},
	{`join(", ", [])`, `""`},
	{`lower("HELLO")`, `"hello"`},
	{`regex("[a-z]+", "53453453.345345aaabbbccc23454")`, `"aaabbbccc"`},
	{`regex("(\\d\\d\\d\\d)-(\\d\\d)-(\\d\\d)", "2019-02-01")`, `["2019", "02", "01"]`},
	{`regex("^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?", "https://terraform.io/docs/")`, `{authority = "terraform.io", scheme = "https"}`},
	{`regex("[a-z]+", "53453453.34534523454")`, `error`},
	{`regexall("[a-z]+", "1234abcd5678efgh9")`, `tolist(["abcd", "efgh"])`},
	{`length(regexall("[a-z]+", "1234abcd5678efgh9"))`, `2`},
	{`regexall("[a-z]+", "123456789")`, `tolist([])`},
	{`length(regexall("[a-z]+", "123456789")) > 0`, `false`},
	{`replace("1 + 2 + 3", "+", "-")`, `"1 - 2 - 3"`},
	{`replace("hello world", "/w.*d/", "everybody")`, `"hello everybody"`},
	{`replace("a1b2", "/([a-z])([0-9])/", "$2$1")`, `"1a2b"`},
	{`split(",", "foo,bar,baz")`, `tolist(["foo", "bar", "baz"])`},
	{`split(",", "foo")`, `tolist(["foo"])`},
	{`split(",", "")`, `tolist([""])`},
	{`startswith("hello world", "hello")`, `true`},
	{`strcontains("hello world", "wor")`, `true`},
	{`strcontains("hello world", "wod")`, `false`},
	{`strrev("hello")`, `"olleh"`},
	{`strrev("a ☃")`, `"☃ a"`},
	{`substr("hello world", 1, 4)`, `"ello"`},
	{`substr("hello world", -5, -1)`, `"world"`},
	{`substr("🤔🤷", 0, 1)`, `"🤔"`},
	{`templatestring("Hello, $${name}!", { name = "Alice" })`, `"Hello, Alice!"`},
	{`templatestring("%%{ for x in xs }<$${x}>%%{ endfor }", { xs = [1, 2] })`, `"<1><2>"`},
	{`title("hello world")`, `"Hello World"`},
	{`trim("?!hello?!", "!?")`, `"hello"`},
	{`trimprefix("helloworld", "hello")`, `"world"`},
	{`trimsuffix("helloworld", "world")`, `"hello"`},
	{`trimspace("  hello\n\n")`, `"hello"`},
	{`upper("hello")`, `"HELLO"`},
	{`strlen("héllo")`, `5`},

	// Collection functions.
	{`alltrue(["true", true])`, `true`},
	{`alltrue([true, false])`, `false`},
	{`alltrue([])`, `true`},
	{`anytrue(["true"])`, `true`},
	{`anytrue([true, false])`, `true`},
	{`anytrue([])`, `false`},
	{`chunklist(["a", "b", "c", "d", "e"], 2)`, `tolist([tolist(["a", "b"]), tolist(["c", "d"]), tolist(["e"])])`},
	{`coalesce("a", "b")`, `"a"`},
	{`coalesce("", "b")`, `"b"`},
	{`coalesce(null, 1, 2)`, `1`},
	{`coalesce(["", "b"]...)`, `"b"`},
	{`coalesce(1, "hello")`, `"1"`},
	{`coalescelist(["a", "b"], ["c", "d"])`, `["a", "b"]`},
	{`coalescelist([], ["c", "d"])`, `["c", "d"]`},
	{`compact(["a", "", "b", null, "c"])`, `tolist(["a", "b", "c"])`},
	{`concat(["a", ""], ["b", "c"])`, `["a", "", "b", "c"]`},
	{`contains(["a", "b", "c"], "a")`, `true`},
	{`contains(["a", "b", "c"], "d")`, `false`},
	{`distinct(["a", "b", "a", "c", "d", "b"])`, `tolist(["a", "b", "c", "d"])`},
	{`element(["a", "b", "c"], 1)`, `"b"`},
	{`element(["a", "b", "c"], 3)`, `"a"`},
	{`element(["a", "b", "c"], length(["a", "b", "c"]) - 1)`, `"c"`},
	{`flatten([["a", "b"], [], ["c"]])`, `["a", "b", "c"]`},
	{`flatten([[["a", "b"], []], ["c"]])`, `["a", "b", "c"]`},
	{`index(["a", "b", "c"], "b")`, `1`},
	{`index(["a"], "z")`, `error`},
	{`keys({ a = 1, c = 2, d = 3 })`, `["a", "c", "d"]`},
	{`keys(var.map)`, `tolist(["a", "b"])`},
	{`length([])`, `0`},
	{`length(["a", "b"])`, `2`},
	{`length({ "a" = "b" })`, `1`},
	{`length("hello")`, `5`},
	{`lookup({ a = "ay", b = "bee" }, "a", "what?")`, `"ay"`},
	{`lookup({ a = "ay", b = "bee" }, "c", "what?")`, `"what?"`},
	{`lookup(var.map, "a")`, `"1"`},
	{`lookup(var.map, "z")`, `error`},
	{`matchkeys(["i-123", "i-abc", "i-def"], ["us-west", "us-east", "us-east"], ["us-east"])`, `tolist(["i-abc", "i-def"])`},
	{`merge({ a = "b", c = "d" }, { e = "f", c = "z" })`, `{a = "b", c = "z", e = "f"}`},
	{`merge({ a = "b" }, { a = [1, 2], c = "z" }, { d = 3 })`, `{a = [1, 2], c = "z", d = 3}`},
	{`merge([{ a = "b", c = "d" }, {}, { e = "f", c = "z" }]...)`, `{a = "b", c = "z", e = "f"}`},
	{`one([])`, `null`},
	{`one(["hello"])`, `"hello"`},
	{`one(["hello", "goodbye"])`, `error`},
	{`range(3)`, `tolist([0, 1, 2])`},
	{`range(1, 4)`, `tolist([1, 2, 3])`},
	{`range(1, 8, 2)`, `tolist([1, 3, 5, 7])`},
	{`range(4, 1)`, `tolist([4, 3, 2])`},
	{`range(10, 5, -2)`, `tolist([10, 8, 6])`},
	{`reverse([1, 2, 3])`, `[3, 2, 1]`},
	{`setintersection(["a", "b"], ["b", "c"], ["b", "d"])`, `toset(["b"])`},
	{`setproduct(["development", "staging"], ["app1", "app2"])`, `tolist([["development", "app1"], ["development", "app2"], ["staging", "app1"], ["staging", "app2"]])`},
	{`setproduct(["a", "b"], toset([1]))`, `toset([["a", 1], ["b", 1]])`},
	{`setproduct(["a", "b"], [])`, `tolist([])`},
	{`[for p in setproduct(["s", "m"], ["red"]) : "${p[0]}-${p[1]}"]`, `["s-red", "m-red"]`},
	{`setsubtract(["a", "b", "c"], ["a", "c"])`, `toset(["b"])`},
	{`setunion(["a", "b"], ["b", "c"], ["d"])`, `toset(["a", "b", "c", "d"])`},
	{`slice(["a", "b", "c", "d"], 1, 3)`, `["b", "c"]`},
	{`sort(["e", "d", "a", "x"])`, `tolist(["a", "d", "e", "x"])`},
	{`sum([10, 13, 6, 4.5])`, `33.5`},
	{`transpose({ "a" = ["1", "2"], "b" = ["2", "3"] })`, `tomap({"1" = tolist(["a"]), "2" = tolist(["a", "b"]), "3" = tolist(["b"])})`},
	{`values({ a = 3, c = 2, d = 1 })`, `[3, 2, 1]`},
	{`zipmap(["a", "b"], [1, 2])`, `{a = 1, b = 2}`},

	// Encodings.
	{`base64decode("SGVsbG8gV29ybGQ=")`, `"Hello World"`},
	{`base64encode("Hello World")`, `"SGVsbG8gV29ybGQ="`},
	{`csvdecode("a,b,c\n1,2,3\n4,5,6")`, `tolist([{a = "1", b = "2", c = "3"}, {a = "4", b = "5", c = "6"}])`},
	{`{ for row in csvdecode(file("rows.csv")) : row.sku => row.name }`, `{a = "Bottle", b = "Cup, large"}`},
	{`jsondecode("{\"hello\": \"world\"}")`, `{hello = "world"}`},
	{`jsondecode("true")`, `true`},
	{`jsonencode({ "hello" = "world", "n" = [1, null] })`, `"{\"hello\":\"world\",\"n\":[1,null]}"`},
	{`urlencode("Hello World!")`, `"Hello+World%21"`},
	{`urldecode("Hello+World%21")`, `"Hello World!"`},
	{`yamldecode("hello: world")`, `{hello = "world"}`},
	{`yamldecode("true")`, `true`},
	{`yamldecode("{a: &foo [1, 2, 3], b: *foo}")`, `{a = [1, 2, 3], b = [1, 2, 3]}`},
	{`yamlencode({ "a" = "b", "c" = "d" })`, `"\"a\": \"b\"\n\"c\": \"d\"\n"`},
	{`yamlencode({ "foo" = [1, 2, 3], "bar" = "baz" })`, `"\"bar\": \"baz\"\n\"foo\":\n- 1\n- 2\n- 3\n"`},

	// Files and paths.
	{`file("${path.module}/hello.txt")`, `"hello\n"`},
	{`file("hello.txt")`, `"hello\n"`},
	{`fileexists("hello.txt")`, `true`},
	{`fileexists("nope.txt")`, `false`},
	{`filebase64("hello.txt")`, `"aGVsbG8K"`},
	{`fileset("refs", "*.txt")`, `toset(["a.txt"])`},
	{`fileset("refs", "**/*.{txt,md}")`, `toset(["a.txt", "b.md", "deep/c.txt"])`},
	{`fileset(path.module, "none/*")`, `toset([])`},
	{`templatefile("${path.module}/backends.tftpl", { port = 8080, ip_addrs = ["10.0.0.1", "10.0.0.2"] })`, `"backend 10.0.0.1:8080\nbackend 10.0.0.2:8080\n"`},
	{`templatefile("backends.tftpl", { port = 8080 })`, `error`},
	{`basename("foo/bar/baz.txt")`, `"baz.txt"`},
	{`dirname("foo/bar/baz.txt")`, `"foo/bar"`},
	{`path.module`, `"."`},
	{`path.root`, `"."`},

	// Dates.
	{`formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")`, `"02 Jan 2018 23:12 UTC"`},
	{`formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")`, `"Tuesday, 02-Jan-18 23:12:01 UTC"`},
	{`formatdate("h'h'mm", "2018-01-02T23:12:01-08:00")`, `"23h12"`},
	{`timeadd("2017-11-22T00:00:00Z", "10m")`, `"2017-11-22T00:10:00Z"`},
	{`timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00Z")`, `-1`},
	{`timecmp("2017-11-22T01:00:00Z", "2017-11-22T00:00:00-01:00")`, `0`},

	// Hashes.
	{`md5("hello world")`, `"5eb63bbbe01eeed093cb22bb8f5acdc3"`},
	{`sha1("hello world")`, `"2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"`},
	{`sha256("hello world")`, `"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"`},
	{`base64sha256("hello world")`, `"uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="`},
	{`length(sha512("hello world"))`, `128`},
	{`length(base64sha512("hello world"))`, `88`},
	{`filemd5("hello.txt") == md5(file("hello.txt"))`, `true`},
	{`filesha1("hello.txt") == sha1(file("hello.txt"))`, `true`},
	{`filesha256("hello.txt") == sha256(file("hello.txt"))`, `true`},
	{`filesha512("hello.txt") == sha512(file("hello.txt"))`, `true`},
	{`filebase64sha256("hello.txt") == base64sha256(file("hello.txt"))`, `true`},
	{`filebase64sha512("hello.txt") == base64sha512(file("hello.txt"))`, `true`},
	{`uuidv5("dns", "www.terraform.io")`, `"a5008fae-b28c-5ba5-96cd-82b4c53552d6"`},

	// Type conversion, try and can.
	{`can(local.foo.bar)`, `true`},
	{`can(local.foo.boop)`, `false`},
	{`can(regex("^[a-z]+$", "abc"))`, `true`},
	{`try(local.foo.bar, "fallback")`, `"baz"`},
	{`try(local.foo.boop, "fallback")`, `"fallback"`},
	{`try(tonumber("x"), tobool("x"), "neither")`, `"neither"`},
	{`try([tostring(var.list)], tolist(var.list))`, `tolist(["a", "b", "c"])`},
	{`try(tonumber("x"))`, `error`},
	{`tobool("true")`, `true`},
	{`tobool(null)`, `null`},
	{`tobool("no")`, `error`},
	{`tobool(1)`, `error`},
	{`tolist(["a", "b", 3])`, `tolist(["a", "b", "3"])`},
	{`tomap({ "a" = "foo", "b" = true })`, `tomap({a = "foo", b = "true"})`},
	{`tonumber("1")`, `1`},
	{`tonumber("no")`, `error`},
	{`toset(["a", "b", "c", "b"])`, `toset(["a", "b", "c"])`},
	{`toset(["c", 3])`, `toset(["3", "c"])`},
	{`tostring(1)`, `"1"`},
	{`tostring(true)`, `"true"`},
	{`tostring([])`, `error`},
	{`type(var.map)`, `"map(string)"`},
	{`type({ a = [1] })`, `"object({a=tuple([number])})"`},

	// Sensitive values.
	{`var.password`, `(sensitive)`},
	{`"pw ${var.password}"`, `(sensitive)`},
	{`upper(var.password)`, `(sensitive)`},
	{`{ pw = var.password, user = "a" }`, `{pw = (sensitive), user = "a"}`},
	{`sensitive(1)`, `(sensitive)`},
	{`nonsensitive(var.password)`, `"hunter2"`},
	{`nonsensitive(sha256(var.password)) == sha256("hunter2")`, `true`},
	{`issensitive(var.password)`, `true`},
	{`issensitive("x")`, `false`},
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	c, diags := Load("testdata/expressions", Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, tt := range expressions {
		v, diags := c.Eval(tt.expr)
		got := show(v)
		if diags.HasErrors() {
			got = "error"
		}
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s\n%v", tt.expr, got, tt.want, diags)
		}
	}
	if len(expressions) < 150 {
		t.Errorf("%d expressions, want at least 150", len(expressions))
	}
}
