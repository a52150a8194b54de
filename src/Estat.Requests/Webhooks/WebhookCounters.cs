// What the webhook worker counts.
using Estat.Base.Metrics;

namespace Estat.Requests.Webhooks;

/// <summary>Since the start. Any thread.</summary>
internal sealed class WebhookCounters
{
    private static readonly (WebhookOutcome Outcome, string Name)[] Names =
    [
        (WebhookOutcome.Succeeded, "succeeded"), (WebhookOutcome.Rejected, "rejected"), (WebhookOutcome.Refused, "refused"),
        (WebhookOutcome.Failed, "failed"), (WebhookOutcome.Unreadable, "unreadable"), (WebhookOutcome.TimedOut, "timed_out"),
        (WebhookOutcome.Unreachable, "unreachable"),
    ];

    private readonly StripedCounter[] _calls = [.. Names.Select(_ => new StripedCounter())];

    /// <summary>Calls by outcome.</summary>
    internal IEnumerable<(string Outcome, long Count)> Calls => Names.Select(name => (name.Name, Of(name.Outcome)));

    /// <summary>Results that came after the lease, or after another attempt had decided: they changed nothing.</summary>
    internal StripedCounter Late { get; } = new();

    /// <summary>Calls that ended in a way.</summary>
    internal long Of(WebhookOutcome outcome) => _calls[(int)outcome].Value;

    /// <summary>What an outcome is called.</summary>
    internal static string NameOf(WebhookOutcome outcome) => Names[(int)outcome].Name;

    /// <summary>A call has ended.</summary>
    internal void Add(WebhookOutcome outcome) => _calls[(int)outcome].Increment();
}
