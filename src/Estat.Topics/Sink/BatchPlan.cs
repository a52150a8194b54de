// What becomes of each message of a batch, in one attempt to store it.
using Estat.Topics.Messages;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>What becomes of a message.</summary>
internal enum Fate
{
    /// <summary>Its row is stored.</summary>
    Stored,

    /// <summary>It is a dead letter, or held.</summary>
    Dead,

    /// <summary>Its day was dropped by TOPICS_KEEP.</summary>
    Dropped,

    /// <summary>It was a dead letter before, and stays what became of it.</summary>
    Known,
}

/// <summary>One attempt's decisions. One user at a time.</summary>
internal sealed class BatchPlan
{
    private readonly SinkBatch _batch;
    private readonly HeldKeys? _held;
    private readonly Fate[] _fates;
    private readonly DeadLetter?[] _letters;
    private readonly DeadLetter?[] _typedLetters;
    private readonly bool[] _isTypedKnown;
    private readonly bool[] _isThere;
    private readonly Dictionary<StoredTable, (int Refused, bool IsStoring, PostgresException? Error)> _tables = [];

    /// <param name="batch">What shall be stored.</param>
    /// <param name="held">Keys that are held before it; null: TOPICS_ORDER=go-on.</param>
    internal BatchPlan(SinkBatch batch, HeldKeys? held)
    {
        _batch = batch;
        _held = held;
        _fates = new Fate[batch.Count];
        _letters = new DeadLetter?[batch.Count];
        _typedLetters = new DeadLetter?[batch.Count];
        _isTypedKnown = new bool[batch.Count];
        _isThere = new bool[batch.Count];
    }

    /// <summary>Dead letters so far, in the order of their messages.</summary>
    internal IEnumerable<DeadLetter> Letters => _letters.Concat(_typedLetters).OfType<DeadLetter>();

    /// <summary>What becomes of a message, as far as is known.</summary>
    /// <param name="index">Its place in the batch.</param>
    internal Fate this[int index] => _fates[index];

    /// <summary>Decides what is known before anything is stored.</summary>
    /// <param name="cut">Before which time days were dropped.</param>
    /// <param name="givenUp">Why the operator gave a position up; null: he did not.</param>
    /// <param name="known">Ids that are dead letters already, of messages that are stored again, and whether of typed rows.</param>
    /// <param name="there">Ids of messages that are stored already, and so are not held.</param>
    internal void Decide(
        long cut, Func<MessagePosition, Refusal?> givenUp, IReadOnlySet<(Guid Id, bool IsTyped)> known, IReadOnlySet<Guid> there)
    {
        ReadOnlySpan<BatchMessage> messages = _batch.Messages;
        for (int index = 0; index < messages.Length; index++)
        {
            ref readonly BatchMessage message = ref messages[index];
            _isTypedKnown[index] = known.Count > 0 && known.Contains((message.Id, true));
            _isThere[index] = there.Count > 0 && there.Contains(message.Id);
            if (known.Count > 0 && known.Contains((message.Id, false)))
            {
                _fates[index] = Fate.Known;
            }
            else if (message.Dead is null && message.Time < cut)
            {
                _fates[index] = Fate.Dropped;
            }
            else if (IsHeld(index))
            {
                Bury(index, message.Dead is { } bad ? bad with { Kind = DeadLetterKind.Held } : HeldLetter(message));
            }
            else if (message.Dead is { } dead)
            {
                Bury(index, dead);
            }
            else if (givenUp(_batch.PositionOf(message)) is { } refusal)
            {
                Bury(index, _batch.Bury(message, DeadLetterKind.Message, refusal));
            }
            else if (!_isTypedKnown[index])
            {
                _typedLetters[index] = message.DeadTyped;
            }
        }
    }

    /// <summary>Whether a message's row in a table shall be stored.</summary>
    /// <param name="index">The message.</param>
    /// <param name="table">The table.</param>
    internal bool Wants(int index, StoredTable table)
    {
        if (_fates[index] != Fate.Stored)
        {
            return false;
        }

        ref readonly BatchMessage message = ref _batch.Messages[index];
        if (table.Ordinal >= 0)
        {
            return message.Typed.Length > 0 && !_isTypedKnown[index] && _typedLetters[index] is null
                && StoredTable.Of(_batch.Parts[message.Part].Partition.Topic) == table;
        }

        if (!IsHeld(index))
        {
            return true;
        }

        // A message before it was refused by the database in this very attempt.
        Bury(index, HeldLetter(message));
        return false;
    }

    /// <summary>The database has taken rows.</summary>
    /// <param name="table">The table.</param>
    internal void Accept(StoredTable table) => _tables[table] = _tables.GetValueOrDefault(table) with { IsStoring = true };

    /// <summary>Throws when the database has taken no row of a table, and has said the same to many.</summary>
    /// <param name="many">How many.</param>
    /// <exception cref="AllRefusedException">That is so.</exception>
    internal void CheckRefusals(int many)
    {
        foreach ((StoredTable table, (int refused, bool isStoring, PostgresException? error)) in _tables)
        {
            if (refused >= many && !isStoring && error is not null)
            {
                throw new AllRefusedException(
                    $"{table.Name} takes none of {refused} rows: {SqlErrors.Text(error)}. Is it a rule that somebody made?");
            }
        }
    }

    /// <summary>The database has refused a row.</summary>
    /// <param name="index">Its message.</param>
    /// <param name="table">The table.</param>
    /// <param name="error">What it said.</param>
    internal void Refuse(int index, StoredTable table, PostgresException error)
    {
        ref readonly BatchMessage message = ref _batch.Messages[index];
        var why = new Refusal(RefusalCode.Refused, $"{table.Name}: {SqlErrors.Text(error)}");
        (int refused, bool isStoring, PostgresException? before) = _tables.GetValueOrDefault(table);
        // Different errors are different faults of messages.
        _tables[table] = (refused + 1, isStoring || (before is not null && before.SqlState != error.SqlState), error);
        if (table.Ordinal < 0)
        {
            Bury(index, _batch.Bury(message, DeadLetterKind.Message, why));
            HoldBehind(index);
        }
        else
        {
            _typedLetters[index] = _batch.Bury(message, DeadLetterKind.Typed, why);
        }
    }

    // What the checks had found behind it waits for it as well.
    private void HoldBehind(int refused)
    {
        for (int index = refused + 1; _held is not null && index < _letters.Length; index++)
        {
            if (_letters[index] is { Kind: DeadLetterKind.Message } letter && IsHeld(index))
            {
                _letters[index] = letter with { Kind = DeadLetterKind.Held };
            }
        }
    }

    private static Refusal WhyHeld { get; } = new(RefusalCode.Held, "a dead letter of its key is before it");

    private DeadLetter HeldLetter(in BatchMessage message) => _batch.Bury(message, DeadLetterKind.Held, WhyHeld);

    private void Bury(int index, DeadLetter letter)
    {
        _fates[index] = Fate.Dead;
        _letters[index] = letter;
        _typedLetters[index] = null;
        if (_held is not null && letter.Kind == DeadLetterKind.Message && letter.Content.Key is { } key)
        {
            _held.Add(key, letter.At, letter.Time);
        }
    }

    private bool IsHeld(int index)
    {
        ref readonly BatchMessage message = ref _batch.Messages[index];
        return _held is not null && !_isThere[index] && _batch.KeyOf(message) is { } key
            && _held.Holds(key.Span, _batch.PositionOf(message), message.Time);
    }
}
