// What RAW_BUCKET takes: a bucket's name, or an access point by its ARN.
using Amazon;

namespace Estat.Base.Options;

/// <summary>Access points of one region. Those of several regions sign in a way that Estat does not bring.</summary>
internal static class BucketName
{
    internal const string Takes = "a bucket's name, or the ARN of an access point of one region such as arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME";
    private const string ArnBegin = "arn:";
    private static readonly string[] ResourceBegins = ["accesspoint/", "accesspoint:"];

    internal static bool IsValid(string text) =>
        text.Length <= 255 && !text.Contains(' ', StringComparison.Ordinal)
        && (IsArn(text) ? HostOf(text) is not null : !text.Contains('/', StringComparison.Ordinal));

    internal static bool IsArn(string text) => text.StartsWith(ArnBegin, StringComparison.Ordinal);

    /// <summary>What an access point answers under; null when the text is no ARN of one.</summary>
    internal static string? HostOf(string arn)
    {
        if (!Arn.TryParse(arn, out Arn parsed) || parsed.Service != "s3" || parsed.Region.Length == 0 || parsed.AccountId.Length == 0
            || Array.Find(ResourceBegins, begin => parsed.Resource.StartsWith(begin, StringComparison.Ordinal)) is not { } begin)
        {
            return null;
        }

        string name = parsed.Resource[begin.Length..];
        return name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            ? $"{name}-{parsed.AccountId}.s3-accesspoint.{parsed.Region}.amazonaws.com{(parsed.Partition == "aws-cn" ? ".cn" : "")}"
            : null;
    }

    /// <summary>A place such as <c>s3://BUCKET/PREFIX</c> without its scheme, in two; an ARN may have a slash of its own.</summary>
    internal static (string Bucket, string Prefix) Split(string place)
    {
        int from = IsArn(place) && place.IndexOf(":accesspoint/", StringComparison.Ordinal) is var at and >= 0 ? at + ":accesspoint/".Length : 0;
        int slash = place.IndexOf('/', from);
        return slash < 0 ? (place, "") : (place[..slash], place[(slash + 1)..]);
    }
}
