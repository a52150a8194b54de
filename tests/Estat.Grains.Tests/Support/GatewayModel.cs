// A gateway whose silos, clock, membership and clients do anything, in an order that a seed decides.
using System.Globalization;
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Tests.Support;

/// <summary>One run. The test's thread does every step; only answers to clients come from other threads.</summary>
internal sealed class GatewayModel : IDisposable
{
    private static readonly Admission[] Certain = [Admission.QueueFull, Admission.StorageFull, Admission.NoSilo, Admission.Draining];

    private readonly Random _dice;
    private readonly GatewayRig _gateway;
    private readonly List<FakeSilo> _everySilo;
    private readonly List<(string[] Bodies, AckLevel Level, Task<Ack> Ack)> _requests = [];
    private readonly List<SiloCall> _late = [];

    // How often each body is stored, and under which key.
    private readonly Dictionary<string, List<string>> _stored = [];
    private int _bodies;
    private int _keys;

    internal GatewayModel(int seed)
    {
        _dice = new Random(seed);
        _gateway = new GatewayRig(
            _dice.Next(1, 5), new CollectOptions { ChannelSize = _dice.Next(3) == 0 ? _dice.Next(1, 20) : 4000, ChannelBytes = _dice.Next(2) == 0
                ? 1 << 20 : 32 << 20 }, _dice.Next(1, 4));
        _everySilo = [.. _gateway.Silos];
        _everySilo.ForEach(MakeMoody);
    }

    internal int Accepted { get; private set; }

    internal int Refused { get; private set; }

    internal int Unknown { get; private set; }

    internal int Moved { get; private set; }

    /// <summary>Does so many things, lets everything end, and looks whether what clients were told is true.</summary>
    internal async Task RunAsync(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
        }

        Task<long>? drain = _dice.Next(2) == 0 ? _gateway.Ingest.DrainAsync(TimeSpan.FromSeconds(1), CancellationToken.None) : null;
        if (drain is null || _dice.Next(2) == 0)
        {
            LetEnd();
        }
        else
        {
            _gateway.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await Task.WhenAll(_requests.Select(request => request.Ack)).WaitAsync(GatewayRig.Limit);
        long givenUp = drain is null ? 0 : await drain.WaitAsync(GatewayRig.Limit);
        AnswerAll();
        _late.ForEach(Store);
        Judge(givenUp);
    }

    public void Dispose() => _gateway.Dispose();

    private void Step()
    {
        switch (_dice.Next(20))
        {
            case < 8:
                Send(_dice.Next(1, 4) == 1 ? _dice.Next(1, 60) : 1);
                break;
            case 8:
                SendBlock(_dice.Next(6) == 0 ? _dice.Next(200, 2000) : _dice.Next(1, 30));
                break;
            case < 15:
                AnswerOne();
                break;
            case < 18:
                _gateway.Time.Advance(TimeSpan.FromMilliseconds(_dice.Next(1, _dice.Next(4) == 0 ? 3000 : 5)));
                break;
            case 18:
                ChangeMembership();
                break;
            default:
                _gateway.Ingest.Outlook(AckLevel.Disk);
                break;
        }
    }

    private void Send(int count)
    {
        AckLevel level = AnyLevel();
        for (int i = 0; i < count; i++)
        {
            string body = NextBody(level, 0);
            _requests.Add(([body], level, _gateway.Send(body, level)));
        }
    }

    private void SendBlock(int count)
    {
        AckLevel level = AnyLevel();
        int size = _dice.Next(5) == 0 ? 600 : 0;
        string[] bodies = [.. Enumerable.Range(0, count).Select(_ => NextBody(level, size))];
        _requests.Add((bodies, level, _gateway.SendBlock(bodies, level)));
    }

    private void AnswerOne()
    {
        SiloCall[] open = Open();
        if (open.Length > 0)
        {
            Answer(open[_dice.Next(open.Length)]);
        }
    }

    private void Answer(SiloCall call)
    {
        switch (_dice.Next(12))
        {
            case 0:
                call.Refuse(_dice.Next(2) == 0 ? Admission.QueueFull : Admission.StorageFull);
                break;
            case 1:
                call.Refuse(Admission.Draining);
                break;
            case 2:
                StoreOrNot(call);
                call.Refuse(_dice.Next(2) == 0 ? Admission.NoReplica : Admission.DiskFailed);
                break;
            case 3:
                call.FailUnreached();
                break;
            case 4:
                StoreOrNot(call);
                call.FailInTheCall();
                break;
            case 5:
                // The call is given up here and arrives there all the same, much later.
                _late.Add(call);
                call.FailInTheCall();
                break;
            default:
                Store(call);
                call.Accept(_stored[call.Bodies[0]][^1]);
                break;
        }
    }

    private void StoreOrNot(SiloCall call)
    {
        if (_dice.Next(2) == 0)
        {
            Store(call);
        }
    }

    private void Store(SiloCall call)
    {
        string key = string.Create(CultureInfo.InvariantCulture, $"key-{++_keys}");
        foreach (string body in EventLines.Decode(call.Packet.Lines.ToArray()))
        {
            if (!_stored.TryGetValue(body, out List<string>? keys))
            {
                _stored.Add(body, keys = []);
            }

            keys.Add(key);
        }
    }

    private void ChangeMembership()
    {
        List<ISiloLink> all = [.. _gateway.Links.All];
        if (all.Count > 0 && _dice.Next(2) == 0)
        {
            all.RemoveAt(_dice.Next(all.Count));
        }
        else
        {
            var joining = new FakeSilo($"silo-{_everySilo.Count}");
            MakeMoody(joining);
            _everySilo.Add(joining);
            all.Insert(_dice.Next(all.Count + 1), joining);
        }

        _gateway.Links.All = all;
    }

    private void MakeMoody(FakeSilo silo) => silo.Probe = () =>
        _dice.Next(4) == 0 ? Task.FromException<bool>(new IOException("refused")) : Task.FromResult(_dice.Next(2) == 0);

    // What gathers while calls are answered goes after its longest wait at the latest.
    private void LetEnd()
    {
        for (int i = 0; i < 3; i++)
        {
            AnswerAll();
            _gateway.Time.Advance(TimeSpan.FromMilliseconds(100));
        }

        AnswerAll();
    }

    private void AnswerAll()
    {
        while (Open() is { Length: > 0 } open)
        {
            Answer(open[_dice.Next(open.Length)]);
        }
    }

    private SiloCall[] Open() => [.. _everySilo.SelectMany(silo => silo.Open)];

    private void Judge(long givenUp)
    {
        foreach ((string[] bodies, AckLevel level, Task<Ack> answer) in _requests)
        {
            Ack ack = answer.Result;
            string[] keys = [.. bodies.Select(body => _stored.TryGetValue(body, out List<string>? its) ? string.Join(' ', its) : "")];
            Check(keys.Distinct().Count() == 1, $"{bodies.Length} events of one request are {string.Join(", ", keys.Distinct())}");
            Check(!keys[0].Contains(' ', StringComparison.Ordinal), $"{bodies[0]} is stored as {keys[0]}");
            Check(!ack.IsAccepted || (keys[0] == ack.Key && ack.Level == level),
                $"{bodies[0]} was acknowledged at {ack.Level} as {ack.Key} and is stored as '{keys[0]}'");
            Check(!Certain.Contains(ack.Admission) || keys[0].Length == 0, $"{bodies[0]} was answered {ack.Admission} and is stored as {keys[0]}");
            Accepted += ack.IsAccepted ? bodies.Length : 0;
            Refused += Certain.Contains(ack.Admission) ? bodies.Length : 0;
            Unknown += ack.Admission == Admission.Unknown ? bodies.Length : 0;
        }

        SiloCall[] calls = [.. _everySilo.SelectMany(silo => silo.Calls)];
        Moved = (int)_gateway.Metrics.Value("estat_forward_retries_total");
        Check(calls.All(call => call.Bodies.Length == call.Packet.Events), "a packet's count is not that of its lines");
        Check(calls.All(call => call.Bodies.Select(LevelOf).Distinct().Single() == call.Packet.Level), "a packet mixes levels");
        Check(calls.All(call => calls.Count(other => other.Silo == call.Silo && other.Bodies[0] == call.Bodies[0]) == 1),
            "a silo was sent a packet twice");
        Check(givenUp <= Unknown, $"{givenUp} events were given up, {Unknown} clients told so");
        Check(_gateway.Metrics.Value("estat_forward_unknown_events_total") == Unknown, "unknown events are miscounted");
        Check(_gateway.Metrics.Value("estat_forward_queue_requests") == 0
            && _gateway.Metrics.Value("estat_forward_queue_bytes") == 0, "the queue is not empty");
        Check(_gateway.Metrics.Value("estat_forward_calls_in_flight") == 0, "calls are left over");
    }

    private AckLevel AnyLevel() => AckLevels.All[_dice.Next(AckLevels.All.Count)];

    private string NextBody(AckLevel level, int size) =>
        string.Create(CultureInfo.InvariantCulture, $"{level.ToText()} {++_bodies} {new string('x', size)}");

    private static AckLevel LevelOf(string body) => AckLevels.Parse(body.AsSpan(0, body.IndexOf(' ', StringComparison.Ordinal)))!.Value;

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
