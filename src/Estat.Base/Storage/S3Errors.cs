// What an error of S3 means: whether it passes, whom it concerns, and what to do about it.
using System.Net;
using Amazon.S3;

namespace Estat.Base.Storage;

/// <summary>By status and error code, as AWS documents them; stores that say less get the advice of their status.</summary>
internal static class S3Errors
{
    private const string NoSuchBucket = "NoSuchBucket";
    private const string Archived = "InvalidObjectState";

    // A store that answers one of these answers it for every key.
    private static readonly HashSet<string> OfTheCaller = new(StringComparer.Ordinal)
    {
        "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed",
        "RequestExpired", NoSuchBucket, "AllAccessDisabled", "AccountProblem", "NotSignedUp", "PermanentRedirect", "AuthorizationHeaderMalformed",
        "InvalidBucketName", "UserDisabled",
    };

    /// <summary>409 (a racing create), 429, 5xx and throttling come and go; the rest of 4xx stays until somebody mends it.</summary>
    internal static bool IsRefusal(AmazonS3Exception error) =>
        (int)error.StatusCode is >= 400 and < 500 and not (int)HttpStatusCode.Conflict and not (int)HttpStatusCode.RequestTimeout
            and not (int)HttpStatusCode.TooManyRequests && error.ErrorCode?.Contains("Throttl", StringComparison.Ordinal) != true;

    /// <summary>Whether an answer to a GET or HEAD may be of that one object alone: archived, its KMS key gone, denied by a policy.</summary>
    internal static bool MayBeOfOneObject(AmazonS3Exception error) => IsRefusal(error) && !OfTheCaller.Contains(error.ErrorCode ?? "");

    /// <summary>Whether it is certainly of that object alone.</summary>
    internal static bool IsArchived(AmazonS3Exception error) => error.ErrorCode == Archived;

    /// <summary>The permission that a forbidden request needs; null when it was refused for something else.</summary>
    /// <param name="error">The answer.</param>
    /// <param name="what">The request: a method, and mostly a key.</param>
    internal static string? PermissionOf(AmazonS3Exception error, string what) =>
        error.StatusCode != HttpStatusCode.Forbidden || error.ErrorCode is not (null or "" or "Forbidden" or "AccessDenied")
            || IsOfKms(error.ErrorCode ?? "", error.Message) ? null
        : what.Split(' ')[0] switch
        {
            "PUT" => "s3:PutObject",
            "GET" or "HEAD" => "s3:GetObject",
            "DELETE" => "s3:DeleteObject",
            _ => "s3:ListBucket",
        };

    /// <summary>A sentence to append: ". Check …"; "" when the answer says it all.</summary>
    /// <param name="error">The answer.</param>
    /// <param name="what">The request.</param>
    internal static string For(AmazonS3Exception error, string what) => (error.ErrorCode ?? "") switch
    {
        "RequestTimeTooSkewed" => ". This machine's clock is off: set it by NTP (timedatectl set-ntp true, chronyd)",
        "RequestExpired" => ". This machine's clock is off, or the request took too long: set the clock by NTP (timedatectl set-ntp true, chronyd)",
        Archived => ". The object is archived (Glacier, Deep Archive, or an archive tier): restore it first (aws s3api restore-object)",
        "ExpiredToken" or "TokenRefreshRequired" => ". The credentials have expired: renew them (the SDK renews those of a role by itself)",
        "InvalidToken" => ". The session token is not valid: renew AWS_SESSION_TOKEN, or remove it for keys that have none",
        "InvalidAccessKeyId" => ". The store does not know the access key: check AWS_ACCESS_KEY_ID, AWS_PROFILE and S3_ENDPOINT",
        "SignatureDoesNotMatch" => ". The secret key does not match the access key: check AWS_SECRET_ACCESS_KEY, and that no proxy changes requests",
        "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" =>
            ". The bucket is in another region: check AWS_REGION",
        "AccessControlListNotSupported" => ". The bucket allows no ACLs (object ownership is enforced): remove S3_ACL",
        "InvalidStorageClass" => ". The store does not know this storage class: check S3_STORAGE_CLASS",
        "MissingContentMD5" or "ServerSideEncryptionConfigurationNotFoundError" => ". Check the bucket's rules for uploads",
        NoSuchBucket => ". Check RAW_BUCKET, AWS_REGION and S3_ENDPOINT, or make the bucket",
        "QuotaExceeded" or "InsufficientStorage" or "XMinioStorageFull" => ". The store is full: free space in it, or raise its quota",
        { } code when IsOfKms(code, error.Message) =>
            ". Check the KMS key: S3_SSE_KMS_KEY_ID, its state and its policy (kms:GenerateDataKey to write, kms:Decrypt to read)",
        _ => PermissionOf(error, what) is { } permission ? OfPermission(permission) : OfStatus(error),
    };

    private static bool IsOfKms(string code, string? message) =>
        code.StartsWith("KMS.", StringComparison.Ordinal) || message?.Contains("kms:", StringComparison.OrdinalIgnoreCase) == true;

    // S3 answers 403 to a HEAD of what is not there, too, if the caller may not list.
    private static string OfPermission(string permission) =>
        $". Check the credentials and the bucket's policy: this needs {permission}" + permission switch
        {
            "s3:PutObject" => " (does it ask for S3_SSE or S3_ACL?)",
            "s3:GetObject" => ", and s3:ListBucket on the bucket",
            _ => "",
        };

    private static string OfStatus(AmazonS3Exception error) => error.StatusCode switch
    {
        HttpStatusCode.Forbidden => ". Check the credentials and the bucket's policy (s3:PutObject, s3:GetObject, s3:ListBucket)",
        HttpStatusCode.NotFound => ". Check RAW_BUCKET, AWS_REGION and S3_ENDPOINT",
        HttpStatusCode.MovedPermanently => ". Check AWS_REGION and S3_ENDPOINT",
        HttpStatusCode.ExpectationFailed => ". The store does not support Expect: 100-continue: set S3_EXPECT_CONTINUE=false",
        HttpStatusCode.InsufficientStorage => ". The store is full: free space in it, or raise its quota",
        _ => "",
    };
}
