"""LogQL as the stand-in understands it: from a query's text to a tree, or to Loki's own parse error.

Line filters, the range functions over them, vector aggregations and arithmetic. What Loki knows and the
stand-in does not (parsers such as `| json`, `unwrap`) raises `NotSupportedError`: never a wrong answer.
"""

from demo.servers.go_text import compile_regexp
from demo.servers.logql_lexer import ParseError, Token, tokenize
from demo.servers.logql_tree import (
    Aggregation,
    Binary,
    LineFilter,
    LogQuery,
    Matcher,
    NotSupportedError,
    Number,
    Query,
    RangeQuery,
)

MATCHER_OPS = ("=", "=~", "!~", "!=")
FILTER_OPS = ("|=", "|~", "!=", "!~")
RANGE_FUNCTIONS = ("count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time")
AGGREGATIONS = ("sum", "avg", "min", "max", "count", "topk", "bottomk")
PRECEDENCE = {"==": 1, "!=": 1, ">": 1, ">=": 1, "<": 1, "<=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3}
NO_EQUALITY_MATCHER = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
    'For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


def parse(text: str) -> Query:
    """Parse a query. Raises ParseError with Loki's wording, or NotSupportedError."""
    parser = _Parser(tokenize(text))
    query = parser.expression(0)
    parser.end()
    return query


class _Parser:
    """Recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _fail(self, *expected: str) -> ParseError:
        token = self._now
        if token.error is not None:
            return ParseError(token.error, token.line, token.column)
        hope = f", expecting {' or '.join(expected)}" if expected else ""
        return ParseError(f"syntax error: unexpected {token.name}{hope}", token.line, token.column)

    def _take(self, name: str, *expected: str) -> Token:
        if self._now.name != name or self._now.error is not None:
            raise self._fail(*(expected or (name,)))
        return self._next()

    def end(self) -> None:
        """Nothing may follow."""
        if self._now.name != "$end":
            raise self._fail()

    def expression(self, floor: int) -> Query:
        """Operators of a precedence above `floor`, left-associative."""
        left = self._operand()
        while not isinstance(left, LogQuery) and PRECEDENCE.get(self._now.name, 0) > floor:
            op = self._next().name
            as_bool = self._now.name == "bool" and bool(self._next())
            right = self.expression(PRECEDENCE[op])
            if isinstance(right, LogQuery):
                raise ParseError(
                    f"unexpected type for right leg of binary operation ({op}): *syntax.MatchersExpr"
                )
            left = Binary(op, left, right, as_bool)
        return left

    def _operand(self) -> Query:
        token = self._now
        if token.name == "{":
            return self._log_query()
        if token.name == "(":
            self._next()
            inner = self.expression(0)
            self._take(")")
            return inner
        if token.name == "NUMBER":
            return Number(float(self._next().value))
        if token.name == "VECTOR":
            self._next()
            self._take("(")
            number = Number(float(self._take("NUMBER").value), vector=True)
            self._take(")")
            return number
        if token.value in RANGE_FUNCTIONS and token.is_function:
            return self._range_query()
        if token.value in AGGREGATIONS and token.is_function:
            return self._aggregation()
        if token.is_function:
            raise NotSupportedError(f"the function {token.value}")
        raise self._fail()

    def _log_query(self) -> LogQuery:
        self._take("{")
        matchers: list[Matcher] = []
        if self._now.name != "}":
            matchers.append(self._matcher("IDENTIFIER", "}"))
            while self._now.name == ",":
                self._next()
                matchers.append(self._matcher("IDENTIFIER"))
        self._take("}", "}", ",")
        query = LogQuery(tuple(matchers), self._filters())
        _check_matchers(query.matchers)
        return query

    def _matcher(self, *expected: str) -> Matcher:
        name = self._take("IDENTIFIER", *expected).value
        if self._now.name not in MATCHER_OPS:
            raise self._fail(*MATCHER_OPS)
        op = self._next().name
        value = self._take("STRING").value
        _check_pattern(op, value)
        return Matcher(name, op, value)

    def _filters(self) -> tuple[LineFilter, ...]:
        filters: list[LineFilter] = []
        while self._now.name in FILTER_OPS:
            op = self._next().name
            value = self._take("STRING", "STRING", "ip").value
            _check_pattern(op, value)
            filters.append(LineFilter(op, value))
        if self._now.name == "|":
            raise NotSupportedError("a pipeline stage after |")
        return tuple(filters)

    def _range_query(self) -> RangeQuery:
        function = self._next().value
        self._take("(")
        braced = self._now.name == "("
        if braced:
            self._next()
        logs = self._log_query()
        if braced:
            self._take(")")
        if self._now.name != "RANGE":
            raise self._fail()
        seconds = float(self._take("RANGE").value)
        offset = 0.0
        if self._now.name == "offset":
            self._next()
            offset = float(self._take("DURATION").value)
        late = self._filters()
        self._take(")")
        return RangeQuery(function, LogQuery(logs.matchers, logs.filters + late), seconds, offset)

    def _aggregation(self) -> Aggregation:
        op = self._next().value
        labels, without = self._grouping()
        self._take("(")
        parameter = 0
        if op in ("topk", "bottomk"):
            parameter = int(float(self._take("NUMBER").value))
            self._take(",")
        inner = self.expression(0)
        if isinstance(inner, LogQuery):
            raise self._fail()
        self._take(")")
        if labels is None:
            labels, without = self._grouping()
        return Aggregation(op=op, inner=inner, labels=labels, without=without, parameter=parameter)

    def _grouping(self) -> tuple[tuple[str, ...] | None, bool]:
        if self._now.name not in ("by", "without"):
            return None, False
        without = self._next().name == "without"
        self._take("(")
        labels: list[str] = []
        while self._now.name != ")":
            labels.append(self._take("IDENTIFIER", "IDENTIFIER", ")").value)
            if self._now.name != ")":
                self._take(",", ",", ")")
        self._next()
        return tuple(labels), without


def _check_pattern(op: str, value: str) -> None:
    """Refuse a pattern that RE2 does not compile: a parse error without a place."""
    if op not in ("=~", "!~", "|~"):
        return
    try:
        compile_regexp(value)
    except ValueError as error:
        raise ParseError(str(error)) from error


def _check_matchers(matchers: tuple[Matcher, ...]) -> None:
    """Loki refuses a selector that would read every stream."""
    if not any(m.op in ("=", "=~") and not m.matches({}) for m in matchers):
        raise ParseError(NO_EQUALITY_MATCHER)
