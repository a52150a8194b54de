// The bytes of the fast door's answers: those that Kestrel would write, in its order.
using System.Buffers;
using System.Globalization;
using System.Text;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Estat.Http.FastDoor;

/// <summary>
/// Acknowledgements are the same for all events of a batch within a second, so the last few are kept as they were written. Any thread.
/// </summary>
/// <param name="time">The clock of the Date header.</param>
internal sealed class AnswerTexts(TimeProvider time)
{
    // A power of two: as many batches are open at once, at one or two levels, on most nodes.
    private const int Kept = 8;
    private const int StatusLine = 64;
    private const int HeaderLine = 256;

    private readonly Prepared?[] _latest = new Prepared?[Kept];
    private readonly HttpDate _date = new(time);

    /// <summary>Writes one answer; nothing is flushed.</summary>
    internal void Write(IBufferWriter<byte> output, in DoorAnswer answer)
    {
        if (answer.Problem is { } problem)
        {
            WriteProblem(output, problem, answer);
        }
        else if (answer.IsLess || answer.Page.IsToPage)
        {
            output.Write(Make(answer, _date.Now));
        }
        else
        {
            output.Write(Prepare(answer));
        }
    }

    private byte[] Prepare(in DoorAnswer answer)
    {
        byte[] date = _date.Now;
        ref Prepared? kept = ref _latest[System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(answer.Key) & (Kept - 1)];
        Prepared? latest = Volatile.Read(ref kept);
        if (latest is null || !ReferenceEquals(latest.Key, answer.Key) || !ReferenceEquals(latest.Date, date)
            || !ReferenceEquals(latest.Level, answer.Level))
        {
            latest = new Prepared(answer.Key, answer.Level, date, Make(answer, date));
            Volatile.Write(ref kept, latest);
        }

        return latest.Text;
    }

    private static byte[] Make(in DoorAnswer answer, byte[] date)
    {
        var text = new ArrayBufferWriter<byte>(StatusLine + HeaderLine);
        text.Write(answer.IsLess ? "HTTP/1.1 202 Accepted\r\n"u8 : "HTTP/1.1 200 OK\r\n"u8);
        text.Write("Content-Length: 0\r\nDate: "u8);
        text.Write(date);
        text.Write("\r\n"u8);
        WritePage(text, answer.Page);
        Line(text, HeaderNames.Vary, answer.Page.Vary);
        Line(text, Base.Acks.AckHeaders.Ack, answer.Level);
        Line(text, Base.Acks.AckHeaders.Key, answer.Key);
        text.Write("\r\n"u8);
        return text.WrittenSpan.ToArray();
    }

    private void WriteProblem(IBufferWriter<byte> output, Problem problem, in DoorAnswer answer)
    {
        Ascii(output, string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {problem.Status} {ReasonPhrases.GetReasonPhrase(problem.Status)}\r\n"));
        Ascii(output, string.Create(CultureInfo.InvariantCulture, $"Content-Length: {problem.Body.Length}\r\n"));
        if (problem.Closes)
        {
            output.Write("Connection: close\r\n"u8);
        }

        output.Write("Content-Type: application/problem+json\r\nDate: "u8);
        output.Write(_date.Now);
        output.Write("\r\n"u8);
        WritePage(output, answer.Page);
        Line(output, HeaderNames.RetryAfter, answer.RetryAfter);
        Line(output, HeaderNames.Vary, answer.Page.Vary);
        if (problem.Header is { } header)
        {
            Line(output, header.Name, header.Value);
        }

        output.Write("\r\n"u8);
        output.Write(problem.Body.Span);
    }

    private static void WritePage(IBufferWriter<byte> output, PageAnswer page)
    {
        Line(output, HeaderNames.AccessControlAllowCredentials, page.Credentials);
        Line(output, HeaderNames.AccessControlAllowOrigin, page.Origin);
        Line(output, HeaderNames.AccessControlExposeHeaders, page.ExposedHeaders);
    }

    private static void Line(IBufferWriter<byte> output, string name, StringValues values)
    {
        if (values.Count > 0)
        {
            Line(output, name, values.ToString());
        }
    }

    private static void Line(IBufferWriter<byte> output, string name, string value)
    {
        Ascii(output, name);
        output.Write(": "u8);
        Ascii(output, value);
        output.Write("\r\n"u8);
    }

    private static void Ascii(IBufferWriter<byte> output, string text) => Encoding.ASCII.GetBytes(text, output);

    private sealed record Prepared(string Key, string Level, byte[] Date, byte[] Text);
}
