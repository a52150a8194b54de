// What is posted to a webhook, and what proves that Estat posted it.
using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Webhooks;

/// <summary>Pure: the same attempt at the same second is the same bytes.</summary>
internal static class WebhookEnvelope
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body of a call. The request's own body is a JSON text, which the intake has checked; it stands in it as it was sent.</summary>
    internal static byte[] BodyOf(Campaign campaign, Attempt attempt)
    {
        RequestRecord request = attempt.Request;
        var buffer = new ArrayBufferWriter<byte>(256 + attempt.Body.Length);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("campaignId", campaign.Id);
            json.WriteString("requestId", request.Id.ToString());
            json.WriteString("userId", request.User?.Text);
            json.WriteNumber("sequence", request.Sequence);
            json.WriteNumber("generation", request.Generation);
            json.WriteNumber("attempt", attempt.Number);
            json.WritePropertyName("body");
            if (attempt.Body.IsEmpty)
            {
                json.WriteNullValue();
            }
            else
            {
                json.WriteRawValue(attempt.Body.Span, skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The value of <c>Estat-Signature</c>: the time, and a signature of time and body by each secret.</summary>
    internal static string SignatureOf(IReadOnlyList<string> secrets, long unixSeconds, ReadOnlySpan<byte> body)
    {
        string time = unixSeconds.ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes(time), (byte)'.', .. body];
        var value = new StringBuilder("t=").Append(time);
        foreach (string secret in secrets)
        {
            value.Append(",v1=").Append(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed)));
        }

        return value.ToString();
    }
}
