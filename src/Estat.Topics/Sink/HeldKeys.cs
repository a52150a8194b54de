// Keys that have a dead letter: what is behind it is held.
using System.Text;
using Estat.Topics.Messages;

namespace Estat.Topics.Sink;

/// <summary>
/// Behind a dead letter, or behind a message that is held itself, are later messages of its key: in its partition by offset, in others, where the
/// key was before or after the topic got partitions, by time. One user at a time.
/// </summary>
internal sealed class HeldKeys
{
    private readonly Dictionary<string, List<(int Partition, long Offset, long Time)>> _keys = [];

    /// <summary>Holds what is behind a message.</summary>
    /// <param name="key">Its key's bytes.</param>
    /// <param name="at">Where it is.</param>
    /// <param name="time">Milliseconds since 1970.</param>
    internal void Add(ReadOnlySpan<byte> key, MessagePosition at, long time)
    {
        string name = Join(at.Topic, key);
        if (!_keys.TryGetValue(name, out List<(int Partition, long Offset, long Time)>? letters))
        {
            _keys[name] = letters = [];
        }

        int same = letters.FindIndex(letter => letter.Partition == at.Partition);
        if (same < 0)
        {
            letters.Add((at.Partition, at.Offset, time));
        }
        else
        {
            letters[same] = (at.Partition, Math.Min(at.Offset, letters[same].Offset), Math.Min(time, letters[same].Time));
        }
    }

    /// <summary>Whether a message is held.</summary>
    /// <param name="key">Its key's bytes.</param>
    /// <param name="at">Where it is.</param>
    /// <param name="time">Milliseconds since 1970.</param>
    internal bool Holds(ReadOnlySpan<byte> key, MessagePosition at, long time)
    {
        if (_keys.Count == 0 || !_keys.TryGetValue(Join(at.Topic, key), out List<(int Partition, long Offset, long Time)>? letters))
        {
            return false;
        }

        foreach ((int partition, long offset, long before) in letters)
        {
            if (partition == at.Partition ? at.Offset > offset : time > before)
            {
                return true;
            }
        }

        return false;
    }

    private static string Join(string topic, ReadOnlySpan<byte> key) => $"{topic}\0{Encoding.Latin1.GetString(key)}";
}
