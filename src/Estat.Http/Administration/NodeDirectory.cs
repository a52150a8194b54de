// Every node's state, once a second for all who watch; and by it, which node has which name.
using System.Buffers;
using System.Text.Json;

namespace Estat.Http.Administration;

/// <summary>What <c>/admin/nodes</c> and <c>/admin/live</c> show.</summary>
/// <param name="name">This node's name.</param>
/// <param name="own">This node's state.</param>
/// <param name="peers">The others.</param>
/// <param name="time">Clock.</param>
internal sealed class NodeDirectory(string name, SharedReading<NodeReading> own, IPeerNodes peers, TimeProvider time)
{
    // Within the second of a frame, so that a silo that hangs does not slow the others' frames.
    private static readonly TimeSpan PeerPatience = TimeSpan.FromMilliseconds(900);

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal); // name of the node at an address; under its own lock
    private SharedReading<NodesReading>? _all;

    /// <summary>This node and all others, as JSON.</summary>
    internal SharedReading<NodesReading> All =>
        LazyInitializer.EnsureInitialized(ref _all, () => new SharedReading<NodesReading>(ReadAllAsync, time));

    /// <summary>This node's name.</summary>
    internal string OwnName => name;

    /// <summary>The node of this name; null when there is none.</summary>
    internal async Task<IPeerNode?> FindAsync(string sought)
    {
        if (Known(sought) is null)
        {
            await All.LatestAsync().ConfigureAwait(false); // which asks each for its name
        }

        return Known(sought);
    }

    private IPeerNode? Known(string sought)
    {
        lock (_names)
        {
            return peers.All.FirstOrDefault(peer => _names.GetValueOrDefault(peer.Address, peer.Address) == sought);
        }
    }

    private async ValueTask<NodesReading> ReadAllAsync()
    {
        Task<NodeReading> mine = own.NextAsync(); // which comes once a second
        ReadOnlyMemory<byte>[] theirs = await Task.WhenAll(peers.All.Select(StateOfAsync)).ConfigureAwait(false);
        NodeReading self = await mine.ConfigureAwait(false);
        var frame = new ArrayBufferWriter<byte>(self.Json.Length + 64);
        frame.Write(NodesReading.Opening);
        frame.Write("{\"nodes\":["u8);
        frame.Write(self.Json);
        foreach (ReadOnlyMemory<byte> state in theirs)
        {
            frame.Write(","u8);
            frame.Write(state.Span);
        }

        frame.Write("]}"u8);
        frame.Write(NodesReading.End);
        return new NodesReading(frame.WrittenSpan.ToArray());
    }

    private async Task<ReadOnlyMemory<byte>> StateOfAsync(IPeerNode peer)
    {
        string error;
        try
        {
            using var patience = new CancellationTokenSource(PeerPatience, time);
            await using AdminReply reply = await peer.AskAsync(new AdminRequest("GET", AdminPaths.State, "", ""), patience.Token)
                .WaitAsync(patience.Token).ConfigureAwait(false);
            if (reply.Detail is null)
            {
                Learn(peer, reply.Body);
                return reply.Body;
            }

            error = reply.Detail;
        }
        catch (OperationCanceledException)
        {
            error = $"it did not answer within {PeerPatience.TotalMilliseconds:0} ms";
        }
        catch (Exception reason)
        {
            error = reason.Message;
        }

        return JsonSerializer.SerializeToUtf8Bytes(new SilentNode(new SilentName(NameOf(peer)), error), NodeJson.Readable.SilentNode);
    }

    private string NameOf(IPeerNode peer)
    {
        lock (_names)
        {
            return _names.GetValueOrDefault(peer.Address, peer.Address);
        }
    }

    private void Learn(IPeerNode peer, ReadOnlyMemory<byte> state)
    {
        using JsonDocument document = JsonDocument.Parse(state);
        string said = document.RootElement.GetProperty("node").GetProperty("name").GetString()!;
        lock (_names)
        {
            _names[peer.Address] = said;
            if (_names.Count > 1000)
            {
                _names.Clear(); // addresses come and go with a cluster's nodes; those that there are say their names again
            }
        }
    }
}

/// <summary>A node's state, serialized once for all who ask.</summary>
/// <param name="Json">As UTF-8 JSON: an object whose <c>node.name</c> is the node's name.</param>
internal sealed record NodeReading(byte[] Json);

/// <summary>All nodes' states, serialized once for all who ask.</summary>
/// <param name="Frame">As a server-sent event.</param>
internal sealed record NodesReading(byte[] Frame)
{
    /// <summary>What stands before the JSON.</summary>
    internal static ReadOnlySpan<byte> Opening => "event: state\ndata: "u8;

    /// <summary>What stands behind it.</summary>
    internal static ReadOnlySpan<byte> End => "\n\n"u8;

    /// <summary>As JSON.</summary>
    internal ReadOnlyMemory<byte> Json => Frame.AsMemory(Opening.Length, Frame.Length - Opening.Length - End.Length);
}
