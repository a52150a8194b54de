// A silo's side of a packet: lines that a gateway encoded enter this node's partitions, once.
using System.Diagnostics;
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Intake;

namespace Estat.Grains.Forwarding;

/// <summary>
/// Takes packets, and answers a packet that comes a second time with what became of it the first time: the messaging below may send a message again
/// when its connection breaks in the middle of it. For the same reason a packet names the instance that it was meant for. Another one, at the same
/// address after a restart, cannot know whether its predecessor took it, and so answers that nobody knows. Called from any thread.
/// </summary>
public sealed class PacketIntake
{
    private readonly IIngest _ingest;
    private readonly TimeSpan _remembered;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private Dictionary<Guid, Task<Ack>> _recent = [];
    private Dictionary<Guid, Task<Ack>> _before = [];
    private long _turned;

    /// <param name="ingest">The node's partitions.</param>
    /// <param name="levels">The levels that it offers.</param>
    /// <param name="instance">This start of this node.</param>
    /// <param name="remembered">For how long at least a packet's answer is kept: as long as its message may live.</param>
    /// <param name="time">The clock of that.</param>
    public PacketIntake(IIngest ingest, IReadOnlyList<AckLevel> levels, string instance, TimeSpan remembered, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _ingest = ingest;
        Levels = levels;
        Instance = instance;
        _remembered = remembered;
        _time = time;
        _turned = time.GetTimestamp();
    }

    /// <summary>This start of this node.</summary>
    public string Instance { get; }

    /// <summary>The levels that it offers.</summary>
    public IReadOnlyList<AckLevel> Levels { get; }

    /// <summary>Whether events of the level would be taken now.</summary>
    public Admission Outlook(AckLevel level) => Levels.Contains(level) ? _ingest.Outlook(level) : Admission.Unknown;

    /// <summary>Takes a packet, or repeats the answer that it had.</summary>
    /// <param name="packet">Its number, different for each that was ever sent.</param>
    /// <param name="instance">The instance that it was sent to.</param>
    /// <param name="level">The level that its events ask for.</param>
    /// <param name="events">Lines.</param>
    /// <param name="lines">Whole JSONL lines; read before the call returns.</param>
    /// <param name="prefix">The key prefix of the objects that they go to; null is this node's <c>RAW_PREFIX</c>.</param>
    /// <param name="requests">Traced requests that brought them; null when there are none.</param>
    /// <exception cref="ArgumentException">The lines are not what is said of them, or the level is not offered; nothing was taken.</exception>
    public Task<Ack> TakeAsync(Guid packet, string instance, AckLevel level, int events, ReadOnlySpan<byte> lines, string? prefix = null,
        IReadOnlyList<ActivityContext>? requests = null)
    {
        if (instance != Instance)
        {
            return Task.FromResult(new Ack(Admission.Unknown, AckLevel.Memory, ""));
        }

        if (!Levels.Contains(level))
        {
            throw new ArgumentException($"this silo does not offer {level.ToText()} (ACK_ALLOWED)", nameof(level));
        }

        var answer = new TaskCompletionSource<Ack>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            Forget();
            if (_recent.TryGetValue(packet, out Task<Ack>? first) || _before.TryGetValue(packet, out first))
            {
                return first;
            }

            _recent.Add(packet, answer.Task);
        }

        // A draining node's partitions still take what comes; a packet is a new request all the same.
        Admission outlook = _ingest.Outlook(level, prefix);
        if (outlook != Admission.Accepted)
        {
            answer.SetResult(new Ack(outlook, AckLevel.Memory, ""));
            return answer.Task;
        }

        try
        {
            using LineBlock block = _ingest.NewBlock(prefix);
            block.AddLines(lines, events, requests);
            _ = AnswerAsync(_ingest.AcceptAsync(block, level), answer);
        }
        catch (Exception error)
        {
            answer.SetException(error);
        }

        return answer.Task;
    }

    private static async Task AnswerAsync(ValueTask<Ack> accepting, TaskCompletionSource<Ack> answer)
    {
        try
        {
            answer.SetResult(await accepting.ConfigureAwait(false));
        }
        catch (Exception error)
        {
            answer.SetException(error);
        }
    }

    // Two generations: what is older than one turn, and younger than two, may be forgotten.
    private void Forget()
    {
        if (_time.GetElapsedTime(_turned) >= _remembered)
        {
            _turned = _time.GetTimestamp();
            _before = _recent;
            _recent = [];
        }
    }
}
