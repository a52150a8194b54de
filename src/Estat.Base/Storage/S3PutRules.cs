// What a bucket's rules ask of every PUT: encryption, ACL, storage class.
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Base.Storage;

/// <summary>Immutable. Every object goes through <see cref="Apply"/>: RAW, quarantine, a replay's copies, the probe of <c>estat check</c>.</summary>
internal sealed class S3PutRules(StorageOptions options)
{
    /// <summary>Whether an upload's ETag is certainly no MD5, so that only a HEAD proves it.</summary>
    internal bool NeedHead { get; } = options.S3Sse?.StartsWith("aws:kms", StringComparison.Ordinal) == true;

    /// <summary>Adds what the options ask for; what is not set is left to the bucket's defaults.</summary>
    internal PutObjectRequest Apply(PutObjectRequest request)
    {
        if (options.S3Sse is { } encryption)
        {
            request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.FindValue(encryption);
        }

        if (options.S3SseKmsKeyId is { } key)
        {
            request.ServerSideEncryptionKeyManagementServiceKeyId = key;
        }

        if (options.S3Acl is { } acl)
        {
            request.CannedACL = S3CannedACL.FindValue(acl);
        }

        if (options.S3StorageClass is { } storageClass)
        {
            request.StorageClass = S3StorageClass.FindValue(storageClass);
        }

        return request;
    }
}
