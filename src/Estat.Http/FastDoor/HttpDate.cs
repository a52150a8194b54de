// The Date header, made once a second.
using System.Globalization;
using System.Text;

namespace Estat.Http.FastDoor;

/// <summary>The time as HTTP writes it. Any thread.</summary>
/// <param name="time">The clock.</param>
internal sealed class HttpDate(TimeProvider time)
{
    private volatile Moment _now = new([], 0);

    /// <summary>The current second's text; the same array as long as it is the same second.</summary>
    internal byte[] Now => time.GetUtcNow().ToUnixTimeSeconds() is var second && _now is var now && now.Second == second ? now.Text : Renew(second);

    private byte[] Renew(long second)
    {
        byte[] text = Encoding.ASCII.GetBytes(DateTimeOffset.FromUnixTimeSeconds(second).ToString("r", CultureInfo.InvariantCulture));
        _now = new Moment(text, second);
        return text;
    }

    private sealed record Moment(byte[] Text, long Second);
}
