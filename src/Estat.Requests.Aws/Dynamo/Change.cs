// One write to one item, with its condition: by itself, or as a part of a transaction.
using Amazon.DynamoDBv2.Model;

namespace Estat.Requests.Aws.Dynamo;

/// <summary>Built once, used once.</summary>
internal sealed class Change
{
    private readonly Dictionary<string, AttributeValue> _values = [];
    private readonly List<string> _sets = [];
    private readonly List<string> _adds = [];
    private readonly List<string> _removes = [];
    private readonly Item? _item;
    private readonly Kind _kind;
    private string? _condition;

    private Change(Kind kind, ItemKey key, Item? item = null)
    {
        _kind = kind;
        Key = key;
        _item = item;
    }

    private enum Kind
    {
        Put,
        Update,
        Delete,
        Check,
    }

    /// <summary>Where.</summary>
    internal ItemKey Key { get; }

    /// <summary>Writes an item as a whole.</summary>
    internal static Change Put(Item item) => new(Kind.Put, item.Key, item);

    /// <summary>Changes attributes.</summary>
    internal static Change Update(ItemKey key) => new(Kind.Update, key);

    /// <summary>Deletes an item.</summary>
    internal static Change Delete(ItemKey key) => new(Kind.Delete, key);

    /// <summary>Only looks, in a transaction.</summary>
    internal static Change Check(ItemKey key) => new(Kind.Check, key);

    /// <summary>Only if the item is not there.</summary>
    internal Change IfNew() => If($"attribute_not_exists({ItemKey.Partition})");

    /// <summary>Only if this holds too; values stand in it as <c>:name</c>.</summary>
    internal Change If(string condition, params ReadOnlySpan<(string Name, AttributeValue Value)> values)
    {
        _condition = _condition is null ? condition : $"{_condition} AND {condition}";
        foreach ((string name, AttributeValue value) in values)
        {
            _values[name] = value;
        }

        return this;
    }

    /// <summary>Only if a number has this value.</summary>
    internal Change IfIs(string name, long value) => If($"{name} = :was_{name}", ($":was_{name}", Item.Number(value)));

    /// <summary>Only if there is no such attribute.</summary>
    internal Change IfWithout(string name) => If($"attribute_not_exists({name})");

    /// <summary>Sets a number.</summary>
    internal Change Set(string name, long value) => Set(name, Item.Number(value));

    /// <summary>Sets a text, or removes it.</summary>
    internal Change Set(string name, string? value) => value is null ? Remove(name) : Set(name, new AttributeValue { S = value });

    /// <summary>Sets a value.</summary>
    internal Change Set(string name, AttributeValue value)
    {
        _sets.Add($"{name} = :{name}");
        _values[$":{name}"] = value;
        return this;
    }

    /// <summary>Adds to a number, which is 0 where it is not there.</summary>
    internal Change Add(string name, long value)
    {
        _adds.Add($"{name} :{name}");
        _values[$":{name}"] = Item.Number(value);
        return this;
    }

    /// <summary>Removes an attribute.</summary>
    internal Change Remove(string name)
    {
        _removes.Add(name);
        return this;
    }

    /// <summary>As a part of a transaction.</summary>
    internal TransactWriteItem ToPart(string table) => _kind switch
    {
        Kind.Put => new()
        {
            Put = new Put { TableName = table, Item = _item!.Values, ConditionExpression = _condition, ExpressionAttributeValues = Values },
        },
        Kind.Update => new()
        {
            Update = new Update
            {
                TableName = table, Key = Key.ToValues(), UpdateExpression = Expression, ConditionExpression = _condition,
                ExpressionAttributeValues = Values,
            },
        },
        Kind.Delete => new()
        {
            Delete = new Delete { TableName = table, Key = Key.ToValues(), ConditionExpression = _condition, ExpressionAttributeValues = Values },
        },
        _ => new()
        {
            ConditionCheck = new ConditionCheck
            {
                TableName = table, Key = Key.ToValues(), ConditionExpression = _condition, ExpressionAttributeValues = Values,
            },
        },
    };

    /// <summary>As a request of its own; of <see cref="Update(ItemKey)"/>.</summary>
    internal UpdateItemRequest ToUpdate(string table) => new()
    {
        TableName = table, Key = Key.ToValues(), UpdateExpression = Expression, ConditionExpression = _condition, ExpressionAttributeValues = Values,
        ReturnValues = Amazon.DynamoDBv2.ReturnValue.ALL_NEW,
    };

    /// <summary>As a request of its own; of <see cref="Put(Item)"/>.</summary>
    internal PutItemRequest ToPut(string table) =>
        new() { TableName = table, Item = _item!.Values, ConditionExpression = _condition, ExpressionAttributeValues = Values };

    private Dictionary<string, AttributeValue>? Values => _values.Count == 0 ? null : _values;

    private string Expression => string.Join(' ', new[]
    {
        Part("SET", _sets), Part("ADD", _adds), Part("REMOVE", _removes),
    }.Where(part => part.Length > 0));

    private static string Part(string verb, List<string> items) => items.Count == 0 ? "" : $"{verb} {string.Join(", ", items)}";
}
