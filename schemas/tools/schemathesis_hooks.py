"""What schemathesis has to know of this schema: inputs with @oneOf take one field, and a list is asked for its first few."""

import pathlib

import graphql
import schemathesis

SDL = graphql.parse(pathlib.Path(__file__).parent.parent.joinpath("portal.graphql").read_text())
# The introspection that schemathesis asks for does not say it, so it is read from the text of the schema.
ONE_OF = {
    definition.name.value
    for definition in SDL.definitions
    if isinstance(definition, graphql.InputObjectTypeDefinitionNode)
    and any(directive.name.value == "oneOf" for directive in definition.directives or ())
}

class Sensible(graphql.Visitor):
    """Leaves one field of every value whose type has @oneOf, and asks for the first few of every list.

    `impossible` tells that a value with @oneOf had no field.
    """

    def __init__(self, types):
        super().__init__()
        self.types = types
        self.impossible = False

    def enter_field(self, node, *_):
        """Asks for the first few of a list, whatever else was asked for. No made-up text is a cursor."""
        field = self.types.get_field_def()
        if field is None or "first" not in field.args:
            return None
        kept = [argument for argument in node.arguments if argument.name.value not in ("first", "after", "last", "before")]
        asked = next((argument.value for argument in node.arguments if argument.name.value == "first"), None)
        if isinstance(asked, graphql.IntValueNode):
            few = graphql.IntValueNode(value=str(int(asked.value) % 5 + 1))
            kept.append(graphql.ArgumentNode(name=graphql.NameNode(value="first"), value=few))
        return replaced(node, arguments=tuple(kept))

    def enter_string_value(self, node, *_):
        """Leaves out NUL, which no text of Muster holds. No schema can say that."""
        return replaced(node, value=node.value.replace("\0", "")) if "\0" in node.value else None

    def enter_object_value(self, node, *_):
        """Looks at the type that is expected here."""
        kind = graphql.get_named_type(self.types.get_input_type())
        if kind is None or kind.name not in ONE_OF:
            return None
        given = [field for field in node.fields if not isinstance(field.value, graphql.NullValueNode)]
        if not given:
            self.impossible = True
            return None
        return replaced(node, fields=(given[0],))


def replaced(node, **parts):
    """A copy of a node with other parts."""
    return type(node)(**{key: getattr(node, key) for key in node.keys} | parts)


def sensible(schema, document):
    """The document as this schema takes it, and whether that was possible. One that is wrong on purpose stays as it is."""
    if graphql.validate(schema, document):
        return document, True
    types = graphql.TypeInfo(schema)
    visitor = Sensible(types)
    document = graphql.visit(document, graphql.TypeInfoVisitor(types, visitor))
    return document, not visitor.impossible


@schemathesis.hook
def map_body(context, body):
    """Makes documents sensible."""
    return sensible(context.operation.schema.client_schema, body)[0]


@schemathesis.hook
def filter_body(context, body):
    """Leaves out what can't be made sensible."""
    return sensible(context.operation.schema.client_schema, body)[1]
