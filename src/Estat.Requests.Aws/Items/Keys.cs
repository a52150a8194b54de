// Where everything is in the table: docs/requests.md, "The table".
using System.Globalization;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Items;

/// <summary>Keys. What is read in an order has it in its sort key, as a number of fixed width.</summary>
internal static class Keys
{
    /// <summary>Entries of an order log, and outcomes, in one partition: one partition takes 1,000 writes a second, and all writers write to the
    /// log's end.</summary>
    internal const int Bucket = 100;

    /// <summary>The partition of all campaigns.</summary>
    internal const string Campaigns = "CAMPAIGNS";

    /// <summary>The store itself.</summary>
    internal static readonly ItemKey Store = new("STORE", "STORE");

    /// <summary>A campaign as the operator sees it.</summary>
    internal static ItemKey Campaign(string id) => new(Campaigns, id);

    /// <summary>A campaign's sequence.</summary>
    internal static ItemKey Sequence(string campaign) => new($"C#{campaign}", "SEQ");

    /// <summary>How far a campaign's decider has come.</summary>
    internal static ItemKey Progress(string campaign) => new($"C#{campaign}", "CAP");

    /// <summary>Which outcomes are in the lake.</summary>
    internal static ItemKey Batch(string campaign) => new($"C#{campaign}", "OUT");

    /// <summary>A request.</summary>
    internal static ItemKey Request(RequestId id) => new($"R#{id}", "R");

    /// <summary>The partition of a sequence's entry.</summary>
    internal static string LogOf(string campaign, long sequence) => string.Create(CultureInfo.InvariantCulture, $"E#{campaign}#{sequence / Bucket}");

    /// <summary>A sequence's entry: whose it is, or that it is nobody's.</summary>
    internal static ItemKey Entry(string campaign, long sequence) => new(LogOf(campaign, sequence), Number(sequence));

    /// <summary>The partition of what the decider has to look at again.</summary>
    internal static string InboxOf(string campaign) => $"I#{campaign}";

    /// <summary>A request that the decider has to look at again.</summary>
    internal static ItemKey Inbox(string campaign, RequestId id) => new(InboxOf(campaign), id.ToString());

    /// <summary>The partition of a campaign's dead letters.</summary>
    internal static string DeadLettersOf(string campaign) => $"F#{campaign}";

    /// <summary>A dead letter.</summary>
    internal static ItemKey DeadLetter(string campaign, long sequence) => new(DeadLettersOf(campaign), Number(sequence));

    /// <summary>The partition of an outcome.</summary>
    internal static string OutcomesOf(string campaign, long number) => string.Create(CultureInfo.InvariantCulture, $"O#{campaign}#{number / Bucket}");

    /// <summary>An outcome.</summary>
    internal static ItemKey Outcome(string campaign, long number) => new(OutcomesOf(campaign, number), Number(number));

    /// <summary>A number that sorts as text: as many digits as a sequence can have.</summary>
    internal static string Number(long number) => number.ToString("D13", CultureInfo.InvariantCulture);
}
