// Wakes the webhook worker.
using System.Threading.Channels;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Webhooks;

/// <summary>Rings that come while the worker is busy become one. Any thread rings; one waits.</summary>
internal sealed class WebhookBell : IStoreObserver
{
    private readonly Channel<bool> _rings =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private volatile bool _isClosed;

    /// <summary>Whether the worker shall begin nothing more.</summary>
    internal bool IsClosed => _isClosed;

    /// <summary>Rings.</summary>
    internal void Ring() => _rings.Writer.TryWrite(true);

    /// <summary>The worker shall begin nothing more.</summary>
    internal void Close()
    {
        _isClosed = true;
        _rings.Writer.TryComplete();
    }

    /// <summary>The rings, until it is closed.</summary>
    internal IAsyncEnumerable<bool> ReadAllAsync(CancellationToken cancellationToken) => _rings.Reader.ReadAllAsync(cancellationToken);

    /// <inheritdoc/>
    public void OnChanged(IReadOnlyList<RequestRecord> requests) => Ring();
}
