// Silos whose every answer the test gives.
using Estat.Base.Acks;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Tests.Support;

/// <summary>A packet that a silo was sent and has not answered.</summary>
/// <param name="Silo">Which silo.</param>
/// <param name="Packet">What it was sent; its memory is the gateway's.</param>
/// <param name="Answer">How the test answers.</param>
internal sealed record SiloCall(FakeSilo Silo, Packet Packet, TaskCompletionSource<Ack> Answer)
{
    internal string[] Bodies { get; } = EventLines.Decode(Packet.Lines.ToArray());

    internal void Accept(string key = "key") => Answer.SetResult(new Ack(Admission.Accepted, Packet.Level, key));

    internal void Refuse(Admission admission) => Answer.SetResult(new Ack(admission, AckLevel.Memory, ""));

    internal void FailUnreached() => Answer.SetException(new NotTakenException("connection refused"));

    internal void FailInTheCall() => Answer.SetException(new TimeoutException("no answer"));
}

/// <summary>A link that keeps each call until the test answers it, or answers by <see cref="AtOnce"/>.</summary>
internal sealed class FakeSilo(string name) : ISiloLink
{
    private readonly List<SiloCall> _calls = [];

    public string Name => name;

    /// <summary>What it answers without being asked to wait; null keeps the calls.</summary>
    internal Func<Packet, Task<Ack>>? AtOnce { get; set; }

    /// <summary>What it answers to probes.</summary>
    internal Func<Task<bool>> Probe { get; set; } = () => Task.FromResult(true);

    internal int Probes { get; private set; }

    /// <summary>All calls so far, in order.</summary>
    internal SiloCall[] Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    /// <summary>Those that were not answered.</summary>
    internal SiloCall[] Open => [.. Calls.Where(call => !call.Answer.Task.IsCompleted)];

    public Task<Ack> SendAsync(Packet packet)
    {
        if (AtOnce is { } answer)
        {
            return answer(packet);
        }

        var call = new SiloCall(this, packet, new TaskCompletionSource<Ack>());
        lock (_calls)
        {
            _calls.Add(call);
        }

        return call.Answer.Task;
    }

    public Task<bool> ProbeAsync()
    {
        Probes++;
        return Probe();
    }
}

/// <summary>A membership that the test changes.</summary>
internal sealed class FakeSilos(params ISiloLink[] links) : ISiloLinks
{
    public IReadOnlyList<ISiloLink> All { get; set; } = links;
}
