// The bodies of HTTP requests, in all the ways in which messages can be sent.
using System.Globalization;
using System.Text;

namespace Estat.Topics.Chaos;

/// <summary>An HTTP request to produce.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="ContentType">How its body is read.</param>
/// <param name="Body">Its body.</param>
/// <param name="Key">Its Idempotency-Key; null: none.</param>
/// <param name="Messages">What it brings, in this order.</param>
/// <param name="IsWrong">Whether it has to be refused as a whole.</param>
internal sealed record ProduceRequest(
    string Topic, string ContentType, byte[] Body, string? Key, IReadOnlyList<(MessageStream Stream, int Serial)> Messages, bool IsWrong);

/// <summary>Writes them. One producer's.</summary>
/// <param name="dice">What is random.</param>
internal sealed class Bodies(Random dice)
{
    private const int PoisonOneIn = 1_000;
    private const int WrongOneIn = 400;
    private const int KeylessOneIn = 20;

    // What a value ends with that cannot be a jsonb.
    private static readonly string[] Poisons = ["\"a\\u0000b\"", "\"a\\ud800b\"", "1e999999", "{\"\\udc00\":1}", "[-1e-999999]"];

    private readonly StringBuilder _text = new();

    /// <summary>How many messages the next request brings: often one, else up to a bound.</summary>
    internal int NextSize(int most) => dice.Next(10) < 4 ? 1 : dice.Next(2, most + 1);

    /// <summary>Makes a request.</summary>
    /// <param name="own">The producer's streams, the last one without a key.</param>
    /// <param name="size">How many messages.</param>
    /// <param name="key">Its Idempotency-Key; null: none.</param>
    internal ProduceRequest Make(IReadOnlyList<MessageStream> own, int size, string? key)
    {
        bool isWrong = dice.Next(WrongOneIn) == 0;
        int form = dice.Next(size == 1 ? 3 : 2);
        var messages = new List<(MessageStream, int)>(size);
        _text.Clear().Append(form == 0 ? "{\"messages\":[" : "");
        for (int index = 0; index < size; index++)
        {
            MessageStream stream = dice.Next(KeylessOneIn) == 0 ? own[^1] : own[dice.Next(own.Count - 1)];
            _text.Append(index == 0 ? "" : form == 0 ? "," : "\n");
            bool isBad = isWrong && index == size - 1;
            messages.Add((stream, Append(stream, isBad)));
        }

        _text.Append(form == 0 ? "]}" : "");
        return new ProduceRequest(
            own[0].Topic, form == 1 ? "application/x-ndjson" : "application/json", Encoding.UTF8.GetBytes(_text.ToString()), key, messages, isWrong);
    }

    private int Append(MessageStream stream, bool isWrong)
    {
        int poison = dice.Next(PoisonOneIn) == 0 ? dice.Next(Poisons.Length + 2) : -1;
        bool isTyped = poison >= Poisons.Length && stream.Topic != "notifications";
        Fate fate = poison < 0 ? Fate.Stored : isTyped ? Fate.DeadTyped : Fate.Dead;
        int serial = stream.Add(fate);
        _text.Append('{');
        if (stream.Key is not null)
        {
            _text.Append("\"key\":\"").Append(stream.Key).Append("\",");
        }
        else if (dice.Next(2) == 0)
        {
            _text.Append("\"key\":null,");
        }

        if (dice.Next(4) == 0)
        {
            _text.Append("\"headers\":{\"trace\":\"").Append(dice.Next()).Append("\"},");
        }

        if (isWrong)
        {
            _text.Append("\"val\":1,"); // a member that no message has
        }

        _text.Append(CultureInfo.InvariantCulture, $"\"value\":{{\"s\":{stream.Number},\"n\":{serial},");
        AppendMembers(stream, isTyped);
        _text.Append("\"more\":").Append(fate == Fate.Dead ? Poisons[poison % Poisons.Length] : Filling()).Append("}}");
        return serial;
    }

    private string Filling() => string.Create(CultureInfo.InvariantCulture, $"\"{new string('x', dice.Next(20, 150))}\"");

    private void AppendMembers(MessageStream stream, bool isWrong) => _text.Append(stream.Topic switch
    {
        "user-activities" => isWrong ? "\"userId\":7,\"action\":\"view\"," : $"\"userId\":\"user-{stream.Number}\",\"action\":\"view\",",
        "system-metrics" => $"\"metricName\":\"metric-{stream.Number}\",\"value\":{(isWrong ? "1e400" : "0.25")},\"tags\":{{\"host\":\"a\"}},",
        "error-logs" => $"\"service\":\"service-{stream.Number}\",{(isWrong ? "" : "\"message\":\"it failed\",")}",
        _ => $"\"type\":\"type-{stream.Number}\",\"message\":\"hello\",\"recipients\":[\"a\"],",
    });
}
