// How far a verb is.
namespace Estat.Cli.Frame;

/// <summary>Written by the verb, from any thread; read by <see cref="ProgressDisplay"/> a few times a second.</summary>
internal sealed class Progress
{
    private long _done;
    private long _total;
    private volatile string _detail = "";

    /// <summary>Units done so far: bytes, files.</summary>
    internal long Done => Volatile.Read(ref _done);

    /// <summary>Units in all; 0 while nobody knows.</summary>
    internal long Total => Volatile.Read(ref _total);

    /// <summary>What else there is to say: <c>12,000 events, 3 rejected</c>.</summary>
    internal string Detail
    {
        get => _detail;
        set => _detail = value;
    }

    /// <summary>Sets both.</summary>
    internal void Set(long done, long total)
    {
        Volatile.Write(ref _total, total);
        Volatile.Write(ref _done, done);
    }

    /// <summary>Adds to what is done.</summary>
    internal void Add(long done) => Interlocked.Add(ref _done, done);
}
