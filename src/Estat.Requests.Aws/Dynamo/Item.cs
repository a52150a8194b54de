// An item of the table, read and written by short names.
using System.Globalization;
using Amazon.DynamoDBv2.Model;

namespace Estat.Requests.Aws.Dynamo;

/// <summary>Attribute names are one to four letters: DynamoDB counts their bytes as well.</summary>
internal sealed class Item
{
    private readonly Dictionary<string, AttributeValue> _values;

    /// <param name="values">As DynamoDB has them.</param>
    internal Item(Dictionary<string, AttributeValue> values) => _values = values;

    /// <param name="key">Where it is.</param>
    internal Item(ItemKey key)
        : this(key.ToValues())
    {
    }

    /// <summary>As DynamoDB has them.</summary>
    internal Dictionary<string, AttributeValue> Values => _values;

    /// <summary>Where it is.</summary>
    internal ItemKey Key => new(_values[ItemKey.Partition].S, _values[ItemKey.Sort].S);

    /// <summary>A number; 0 without.</summary>
    internal long Long(string name) =>
        _values.TryGetValue(name, out AttributeValue? value) ? long.Parse(value.N, CultureInfo.InvariantCulture) : 0;

    /// <summary>A small number; 0 without.</summary>
    internal int Int(string name) => (int)Long(name);

    /// <summary>A text; null without.</summary>
    internal string? Text(string name) => _values.TryGetValue(name, out AttributeValue? value) ? value.S : null;

    /// <summary>Bytes; none without.</summary>
    internal byte[] Bytes(string name) => _values.TryGetValue(name, out AttributeValue? value) ? value.B.ToArray() : [];

    /// <summary>Whether it has it.</summary>
    internal bool Has(string name) => _values.ContainsKey(name);

    /// <summary>Sets a number.</summary>
    internal Item With(string name, long value)
    {
        _values[name] = Number(value);
        return this;
    }

    /// <summary>Sets a text; null leaves it out.</summary>
    internal Item With(string name, string? value)
    {
        if (value is not null)
        {
            _values[name] = new AttributeValue { S = value };
        }

        return this;
    }

    /// <summary>Sets bytes; none leaves it out.</summary>
    internal Item With(string name, ReadOnlyMemory<byte> value)
    {
        if (!value.IsEmpty)
        {
            _values[name] = Binary(value);
        }

        return this;
    }

    /// <summary>A number as DynamoDB has it.</summary>
    internal static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    /// <summary>Bytes as DynamoDB has them.</summary>
    internal static AttributeValue Binary(ReadOnlyMemory<byte> value) => new() { B = new MemoryStream(value.ToArray(), writable: false) };
}

/// <summary>Where an item is.</summary>
/// <param name="Pk">Partition key.</param>
/// <param name="Sk">Sort key.</param>
internal readonly record struct ItemKey(string Pk, string Sk)
{
    /// <summary>Name of the partition key.</summary>
    internal const string Partition = "pk";

    /// <summary>Name of the sort key.</summary>
    internal const string Sort = "sk";

    /// <summary>As DynamoDB has it.</summary>
    internal Dictionary<string, AttributeValue> ToValues() => new(8) { [Partition] = new() { S = Pk }, [Sort] = new() { S = Sk } };
}
