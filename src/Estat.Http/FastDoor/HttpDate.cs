// The Date header, made once a second.
using System.Globalization;
using System.Text;

namespace Estat.Http.FastDoor;

/// <summary>The time as HTTP writes it. Any thread.</summary>
internal static class HttpDate
{
    private static volatile Moment _now = new([], 0);

    /// <summary>The current second's text; the same array as long as it is the same second.</summary>
    internal static byte[] Now => Environment.TickCount64 < _now.Until ? _now.Text : Renew();

    private static byte[] Renew()
    {
        long tick = Environment.TickCount64;
        DateTimeOffset now = DateTimeOffset.UtcNow;
        byte[] text = Encoding.ASCII.GetBytes(now.ToString("r", CultureInfo.InvariantCulture));
        _now = new Moment(text, tick + 1000 - now.Millisecond);
        return text;
    }

    private sealed record Moment(byte[] Text, long Until);
}
